//go:build linux

package reuseport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool/reuseport"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children
	userprocess.Main(userprocess.Roles{"greet": greet})
	m.Run()
}

// greet accepts one connection, says who it is, and waits to be killed.
func greet(ctx context.Context, c *userprocess.Child) error {
	l, err := c.Listener("listener")
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(conn, c.Args()[0]); err != nil {
		return err
	}
	<-ctx.Done()
	return conn.Close()
}

func closeAll(t *testing.T, all []*net.TCPListener) {
	t.Helper()
	for _, l := range all {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestListen(t *testing.T) {
	leaktest.Check(t)
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "tcp4": "localhost:0", "tcp6": "[::1]:0"} {
		all, err := reuseport.Listen(t.Context(), network, address, 4)
		if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
			t.Logf("%s: %v", network, err) // no IPv6 here
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		port := all[0].Addr().(*net.TCPAddr).Port
		for i, l := range all {
			if l.Addr().String() != all[0].Addr().String() || port == 0 {
				t.Errorf("%s: socket %d is at %v, the first one at %v", network, i, l.Addr(), all[0].Addr())
			}
		}
		closeAll(t, all)
	}
}

// Each of them gets some of many connections.
func TestAllGetConnections(t *testing.T) {
	leaktest.Check(t)
	const sockets, conns = 4, 200
	all, err := reuseport.Listen(t.Context(), "tcp", "127.0.0.1:0", sockets)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan int)
	for i, l := range all {
		go func() { // ends when the listener is closed
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
				accepted <- i
			}
		}()
	}
	var got [sockets]int
	for range conns {
		c, err := net.Dial("tcp", all[0].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got[<-accepted]++
		_ = c.Close()
	}
	closeAll(t, all)
	for i, n := range got {
		if n == 0 {
			t.Errorf("socket %d got none of %d connections: %v", i, conns, got)
		}
	}
}

// A connection that waits in the socket of a worker that is killed is the successor's.
func TestConnectionsWaitForTheSuccessor(t *testing.T) {
	leaktest.Check(t)
	all, err := reuseport.Listen(t.Context(), "tcp", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, all)
	for i := range 3 {
		worker := &userprocess.Command{Role: "greet", Args: []string{fmt.Sprint(i)}, Files: map[string]syscall.Conn{"listener": all[0]}}
		c, err := net.Dial("tcp", all[0].Addr().String()) // there is no worker yet, or any more
		if err != nil {
			t.Fatal(err)
		}
		p, err := worker.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 10)
		if n, err := c.Read(line); err != nil || string(line[:n]) != fmt.Sprintln(i) {
			t.Errorf("%q, %v", line[:n], err)
		}
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		if _, err := p.Wait(); err != nil {
			t.Error(err)
		}
		_, _ = p.Close(), c.Close()
	}
}

func TestErrors(t *testing.T) {
	leaktest.Check(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, test := range []struct {
		network, address string
		n                int
		want             string
	}{
		{"tcp", "127.0.0.1:0", 0, "reuseport: 0 sockets, want 1 to 4096"},
		{"tcp", "127.0.0.1:0", 5000, "reuseport: 5000 sockets"},
		{"udp", "127.0.0.1:0", 1, "reuseport: unknown network udp"},
		{"unix", "/tmp/x", 1, "reuseport: unknown network unix"},
		{"tcp", "127.0.0.1:99999", 1, "reuseport: socket 1 of 1: listen tcp: address 99999: invalid port"},
		{"tcp", taken.Addr().String(), 2, "reuseport: socket 1 of 2: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
	} {
		all, err := reuseport.Listen(t.Context(), test.network, test.address, test.n)
		if all != nil || err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s %s: %v, %v; want %q", test.network, test.address, all, err, test.want)
			closeAll(t, all)
		}
	}
}

// When there is no descriptor left for one of them, none is left open.
func TestNoDescriptors(t *testing.T) {
	leaktest.Check(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(len(leaktest.FDs(t)) + 8)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	if all, err := reuseport.Listen(t.Context(), "tcp", "127.0.0.1:0", 100); !errors.Is(err, unix.EMFILE) {
		t.Errorf("%v, %v; want EMFILE", all, err)
		closeAll(t, all)
	}
}

//go:build linux

package load_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/bench/load"
)

// TestMain is the whole run of a process that was started as a server.
func TestMain(m *testing.M) {
	servers := load.Servers()
	servers["wrong"] = spoiled(func(c net.Conn, p []byte) error {
		p[len(p)/2] ^= 1
		_, err := c.Write(p)
		return err
	})
	servers["doubled"] = spoiled(func(c net.Conn, p []byte) error {
		_, err := c.Write(append(p, p...))
		return err
	})
	servers["cut"] = spoiled(func(c net.Conn, p []byte) error {
		_, err := c.Write(p[:len(p)-1])
		return errors.Join(err, c.(*net.TCPConn).CloseWrite()) // Close could be a reset
	})
	servers["broken"] = func(int, func()) error { return errors.New("out of order") }
	if !load.Child(servers) {
		m.Run()
	}
}

// spoiled returns a server of one connection, that answers as it should for 100 ms
// and then as answer does.
func spoiled(answer func(c net.Conn, p []byte) error) load.Server {
	return func(fd int, ready func()) error {
		ln, err := net.FileListener(os.NewFile(uintptr(fd), "listener"))
		if err != nil {
			return err
		}
		ready()
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		end := time.Now().Add(100 * time.Millisecond)
		for p := make([]byte, 1<<16); ; {
			n, err := c.Read(p)
			if err != nil {
				return err
			}
			if time.Now().Before(end) {
				_, err = c.Write(p[:n])
			} else {
				err = answer(c, p[:n])
			}
			if err != nil {
				return err
			}
		}
	}
}

// start starts a server, and ends it with the test.
func start(tb testing.TB, server, network string) *load.Process {
	tb.Helper()
	if t, ok := tb.(*testing.T); ok {
		t.Setenv("GORACE", "atexit_sleep_ms=0") // it sleeps for a second otherwise
	}
	p, err := load.Start(server, network)
	if err != nil {
		tb.Fatal(err)
	}
	closing(tb, p)
	return p
}

func closing(tb testing.TB, c io.Closer) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
}

func dial(tb testing.TB, p *load.Process, l load.Load) *load.Client {
	tb.Helper()
	c, err := load.Dial(p, l)
	if err != nil {
		tb.Fatal(err)
	}
	closing(tb, c)
	return c
}

func TestServersAnswer(t *testing.T) {
	descriptors := open(t)
	for name := range load.Servers() {
		for _, network := range []string{"tcp", "unix"} {
			if name == "broadcast" {
				continue
			}
			t.Run(name+"/"+network, func(t *testing.T) {
				p := start(t, name, network)
				c := dial(t, p, load.Load{Conns: 8, Size: 64 << 10, Pipeline: 16, Idle: 2})
				if err := c.Warm(); err != nil {
					t.Fatal("Warm: ", err)
				}
				n, err := c.Run(50 * time.Millisecond)
				if n < 8*16 || n != c.Answered() || err != nil {
					t.Errorf("Run = %d, %v; want at least %d and Answered, %d", n, err, 8*16, c.Answered())
				}
				cpu, err := p.CPU()
				if cpu <= 0 || err != nil {
					t.Errorf("CPU = %v, %v; want some", cpu, err)
				}
				if p50, p99 := c.Quantile(0.5), c.Quantile(0.99); p50 <= 0 || p99 < p50 {
					t.Errorf("half took %v ns at most, 99 of 100 %v ns", p50, p99)
				}
			})
		}
	}
	if n := open(t); n != descriptors {
		t.Errorf("%d descriptors are open; before there were %d", n, descriptors)
	}
}

// open returns the number of descriptors of this process.
func open(tb testing.TB) int {
	tb.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	return len(entries)
}

// TestClientNotices is why a server's numbers can be trusted.
func TestClientNotices(t *testing.T) {
	for server, want := range map[string]string{
		"wrong":   "; want ",
		"doubled": "; want ",
		"cut":     "ended behind",
	} {
		t.Run(server, func(t *testing.T) {
			c := dial(t, start(t, server, "tcp"), load.Load{Conns: 1, Size: 1000, Pipeline: 4})
			_, err := c.Run(10 * time.Second)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run = %v; want an error with %q", err, want)
			}
		})
	}
}

func TestStartTellsWhatIsWrong(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	for server, want := range map[string]string{"broken": "out of order", "missing": "there is no server missing"} {
		if p, err := load.Start(server, "tcp"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start(%s) = %v, %v; want an error with %q", server, p, err, want)
		}
	}
}

func TestBroadcastReachesEverybody(t *testing.T) {
	c, err := load.DialBroadcast(start(t, "broadcast", "tcp"), 10, 100)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	for i := range 20 {
		if err := c.Next(); err != nil {
			t.Fatalf("Next, the %d. time: %v", i, err)
		}
	}
	if n := c.Answered(); n != 200 {
		t.Errorf("Answered() = %d; want 200", n)
	}
}

func TestChurnerConnectsAnew(t *testing.T) {
	c, err := load.DialChurner(start(t, "ours", "tcp"), 10, 100)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	if err := c.Begin(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := c.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Finish(); err != nil || c.Answered() < 110 {
		t.Errorf("Finish = %v, %d answers; want 110 at least", err, c.Answered())
	}
}

func TestProcessTellsItsMemory(t *testing.T) {
	p := start(t, "ours", "unix")
	bytes, objects, err := p.Heap()
	if bytes == 0 || objects == 0 || err != nil {
		t.Errorf("Heap = %d, %d, %v; want some", bytes, objects, err)
	}
	if pss, err := p.PSS(); pss == 0 || err != nil {
		t.Errorf("PSS = %d, %v; want some", pss, err)
	}
}

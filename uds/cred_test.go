//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// self returns the credentials of this process.
func self() uds.Cred {
	return uds.Cred{PID: os.Getpid(), UID: os.Geteuid(), GID: os.Getegid()}
}

// The ends of a pair are of the process that made it, whoever has them.
func TestPeerCredOfPair(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			for _, c := range []*uds.Conn{a, b} {
				if got, err := c.PeerCred(); got != self() || err != nil {
					t.Errorf("PeerCred = %+v, %v; want %+v", got, err, self())
				}
			}
			end, err := b.File()
			must(t, err)
			c := startChild(t, "whose", nil, end)
			must(t, end.Close())
			c.expect(t, fmt.Sprintf("%+v", self()))
			if got, err := a.PeerCred(); got != self() || err != nil {
				t.Errorf("PeerCred of what a child has = %+v, %v; want %+v", got, err, self())
			}
		})
	}
}

// whose is a child that tells the credentials of what it inherited.
func whose([]string) error {
	c, err := uds.FromFile(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	cred, err := c.PeerCred()
	return errors.Join(err, c.Close(), say(fmt.Sprintf("%+v", cred)))
}

// A client sees who listened, whoever accepts, and a server who dialed.
func TestPeerCredOfConnection(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			l, name := listener(t, kind)
			c := startChild(t, "dial", []string{fmt.Sprint(int(kind)), name})
			conn, err := l.AcceptConn(patient(t))
			must(t, err)
			want := self()
			want.PID = c.pid()
			if got, err := conn.PeerCred(); got != want || err != nil {
				t.Errorf("PeerCred of a child = %+v, %v; want %+v", got, err, want)
			}
			c.expect(t, fmt.Sprintf("%+v", self()))
			must(t, conn.Close())

			startChild(t, "accept", nil, fileOf(t, l)).expect(t, name)
			client := dial(t, kind, name)
			must(t, second(client.Receive(patient(t), make([]byte, 100)))) // the child has accepted
			if got, err := client.PeerCred(); got != self() || err != nil {
				t.Errorf("PeerCred of a listener = %+v, %v; want %+v", got, err, self())
			}
		})
	}
}

// dialChild is a child that dials and tells who it has dialed.
func dialChild(args []string) error {
	ctx, cancel := within()
	defer cancel()
	var kind uds.Kind
	if _, err := fmt.Sscan(args[0], &kind); err != nil {
		return err
	}
	c, err := uds.Dial(ctx, kind, args[1])
	if err != nil {
		return err
	}
	cred, err := c.PeerCred()
	if err := errors.Join(err, say(fmt.Sprintf("%+v", cred))); err != nil {
		return err
	}
	_, _ = hear() // the end
	return c.Close()
}

// An abstract name lets everybody in; who it was is to be asked.
func TestPeerCredOfAnotherUser(t *testing.T) {
	root(t)
	leaktest.Check(t)
	l, name := listener(t, uds.SeqPacket)
	c := startChild(t, "dial as nobody", []string{fmt.Sprint(int(uds.SeqPacket)), name})
	c.expect(t, "connected")
	conn, err := l.AcceptConn(patient(t))
	must(t, err)
	want := uds.Cred{PID: c.pid(), UID: nobody, GID: nobody}
	if got, err := conn.PeerCred(); got != want || err != nil {
		t.Errorf("PeerCred = %+v, %v; want %+v", got, err, want)
	}
	must(t, conn.Close())
}

// A Datagram that is not of a pair has no peer that could have credentials.
func TestPeerCredOfDatagram(t *testing.T) {
	leaktest.Check(t)
	name := abstract(t)
	server := named(t, name)
	for _, c := range []*uds.Conn{server, dial(t, uds.Datagram, name)} {
		if got, err := c.PeerCred(); got != (uds.Cred{}) || !errors.Is(err, unix.ENOTCONN) {
			t.Errorf("PeerCred = %+v, %v; want ENOTCONN", got, err)
		}
		if fd, err := c.PeerPIDFD(); fd != -1 || err == nil {
			t.Errorf("PeerPIDFD = %d, %v; want -1 and an error", fd, err)
		}
	}
	must(t, server.Close())
	if got, err := server.PeerCred(); got != (uds.Cred{}) || err == nil {
		t.Errorf("PeerCred after Close = %+v, %v; want an error", got, err)
	}
}

// The pidfd of a peer is readable when the process has ended.
func TestPeerPIDFD(t *testing.T) {
	leaktest.Check(t)
	l, name := listener(t, uds.Stream)
	c := startChild(t, "dial", []string{fmt.Sprint(int(uds.Stream)), name})
	conn, err := l.AcceptConn(patient(t))
	must(t, err)
	defer func() { must(t, conn.Close()) }()
	c.line(t)
	pidfd, err := conn.PeerPIDFD()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the kernel has no SO_PEERPIDFD")
	}
	must(t, err)
	defer func() { must(t, unix.Close(pidfd)) }()
	if cloexec, _ := flags(t, pidfd); !cloexec {
		t.Error("the pidfd is not close-on-exec")
	}
	if n := ended(t, pidfd, 0); n {
		t.Error("the pidfd of a living process is readable")
	}
	must(t, unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0))
	if !ended(t, pidfd, int(patience.Milliseconds())) {
		t.Error("the pidfd of a dead process is not readable")
	}
	c.kill(t) // reaps it
	// On some kernels there is still one, and on others there is none.
	again, err := conn.PeerPIDFD()
	if err == nil {
		if !ended(t, again, 0) {
			t.Error("the pidfd of a reaped process is not readable")
		}
		must(t, unix.Close(again))
	} else if again != -1 || !errors.Is(err, unix.ESRCH) {
		t.Errorf("PeerPIDFD of a reaped process = %d, %v; want -1, ESRCH", again, err)
	}
}

// ended polls a pidfd for so many milliseconds.
func ended(tb testing.TB, pidfd, ms int) bool {
	tb.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, ms)
		if !errors.Is(err, unix.EINTR) {
			must(tb, err)
			return n == 1
		}
	}
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A connection changes its style and back, and loses nothing of what is queued.
func TestDetachAndAttach(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		for round := range 20 {
			must(t, second(b.TrySend([]byte("in"))))
			must(t, second(a.TrySend([]byte("out"))))
			s, err := a.Detach()
			must(t, err)
			if _, err := a.TryReceive(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: TryReceive after Detach: %v, want net.ErrClosed", kind, err)
			}
			if err := a.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: Close after Detach: %v, want net.ErrClosed", kind, err)
			}
			if s.Kind() != kind {
				t.Errorf("%s: Detach gives a %s", kind, s.Kind())
			}
			checkModes(t, s.FD())
			if round%2 == 0 {
				receives(t, s, "in")
			}
			c, err := s.Attach()
			must(t, err)
			if s.FD() != -1 {
				t.Errorf("%s: FD after Attach = %d, want -1", kind, s.FD())
			}
			a = c
			t.Cleanup(func() { _ = c.Close() }) // unless it is detached
			if round%2 != 0 {
				receives(t, a, "in")
			}
			receives(t, b, "out")
			// It waits as before.
			call := waiting(t, func() error { return second(a.Receive(patient(t), make([]byte, 1))) })
			must(t, second(b.TrySend([]byte("x"))))
			must(t, result(t, call))
		}
	}
}

// Detach ends the calls that wait, and what comes afterwards is the Socket's.
func TestDetachOverWaiting(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		calls := []<-chan error{
			waiting(tb, func() error { return w.call(patient(tb)) }),
			waiting(tb, func() error { return w.call(context.WithoutCancel(tb.Context())) }),
		}
		s, err := w.c.Detach()
		must(tb, err)
		for _, call := range calls {
			if err := result(tb, call); !errors.Is(err, net.ErrClosed) {
				tb.Errorf("%s over Detach: %v, want net.ErrClosed", w.name, err)
			}
		}
		w.end()
		if w.sends {
			_, err = s.TrySend([]byte("x"))
		} else {
			_, err = s.TryReceive(make([]byte, 10))
		}
		if err != nil {
			tb.Errorf("%s, then detached: %v", w.name, err)
		}
		must(tb, s.Close())
	})
}

// Release hands the descriptor out, and NewSocket takes it in again.
func TestRelease(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := sockets(t, kind)
		fd := a.FD()
		if got := a.Release(); got != fd || a.FD() != -1 {
			t.Errorf("%s: Release = %d, then FD = %d; want %d, -1", kind, got, a.FD(), fd)
		}
		if err := a.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: Close after Release: %v, want net.ErrClosed", kind, err)
		}
		must(t, unix.SetNonblock(fd, false))
		must(t, second(unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)))
		again, err := uds.NewSocket(fd)
		must(t, err)
		if again.FD() != fd || again.Kind() != kind {
			t.Errorf("%s: NewSocket has descriptor %d, kind %s; want %d", kind, again.FD(), again.Kind(), fd)
		}
		checkModes(t, fd)
		must(t, second(again.TrySend([]byte("x"))))
		receives(t, b, "x")
		must(t, again.Close())
	}
}

// checkModes fails tb unless fd is non-blocking and close-on-exec.
func checkModes(tb testing.TB, fd int) {
	tb.Helper()
	if cloexec, nonblock := flags(tb, fd); !cloexec || !nonblock {
		tb.Errorf("descriptor %d: close-on-exec %v, non-blocking %v; want both", fd, cloexec, nonblock)
	}
}

// Whatever makes a descriptor makes it non-blocking and close-on-exec.
func TestModes(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := sockets(t, kind)
		checkModes(t, a.FD())
		checkModes(t, b.FD())
		c, err := b.Attach()
		must(t, err)
		f, err := c.File()
		must(t, err)
		fd, err := uds.Duplicate(c)
		must(t, err)
		checkModes(t, fd)
		must(t, unix.Close(fd))
		d, err := uds.FromFile(f)
		must(t, err)
		for _, of := range []syscall.Conn{c, d, f} {
			raw, err := of.SyscallConn()
			must(t, err)
			must(t, raw.Control(func(fd uintptr) { checkModes(t, int(fd)) }))
		}
		must(t, errors.Join(c.Close(), d.Close(), f.Close()))
	}
}

// File and Duplicate change nothing for the Conn: deadlines count, and Close wakes.
func TestFileLeavesConn(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		f, err := a.File()
		must(t, err)
		d, err := uds.FromFile(f)
		must(t, err)
		must(t, a.SetReadDeadline(time.Now().Add(time.Millisecond)))
		checkDeadline(t, "Read", second(a.Read(make([]byte, 1))))
		must(t, a.SetReadDeadline(time.Time{}))
		call := waiting(t, func() error { return second(a.Read(make([]byte, 1))) })
		must(t, a.Close())
		if err := result(t, call); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: Read over Close: %v, want net.ErrClosed", kind, err)
		}
		// The others have the connection still.
		must(t, second(b.TrySend([]byte("x"))))
		receives(t, d, "x")
		must(t, d.Close())
		must(t, f.Close())
	}
}

// What is no AF_UNIX connection is refused, and stays the caller's.
func TestWrongDescriptors(t *testing.T) {
	leaktest.Check(t)
	r, w, err := os.Pipe()
	must(t, err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l, _ := listener(t, uds.Stream)
	seq, _ := listener(t, uds.SeqPacket)
	closed, err := os.Open(os.DevNull)
	must(t, err)
	must(t, closed.Close())
	tcpFile, err := tcp.(*net.TCPListener).File()
	must(t, err)
	for what, test := range map[string]struct {
		f    *os.File
		want error
	}{
		"a pipe":              {r, unix.ENOTSOCK},
		"a TCP socket":        {tcpFile, unix.EAFNOSUPPORT},
		"a listener":          {fileOf(t, l), unix.EINVAL},
		"a seqpacket listens": {fileOf(t, seq), unix.EINVAL},
		"a closed file":       {closed, net.ErrClosed},
	} {
		if c, err := uds.FromFile(test.f); c != nil || !errors.Is(err, test.want) {
			t.Errorf("FromFile(%s) = %v, %v; want %v", what, c, err, test.want)
		}
		if test.want == net.ErrClosed {
			continue
		}
		fd, err := uds.Duplicate(test.f)
		must(t, err)
		if s, err := uds.NewSocket(fd); s != nil || !errors.Is(err, test.want) {
			t.Errorf("NewSocket(%s) = %v, %v; want %v", what, s, err, test.want)
		}
		must(t, unix.Close(fd))
		must(t, test.f.Close())
	}
	must(t, w.Close())
	must(t, tcp.Close())
	for _, fd := range []int{-1, 1 << 20} {
		if s, err := uds.NewSocket(fd); s != nil || !errors.Is(err, unix.EBADF) {
			t.Errorf("NewSocket(%d) = %v, %v; want EBADF", fd, s, err)
		}
	}
	for _, kind := range []uds.Kind{0, -1, unix.SOCK_RAW, 100} {
		if _, _, err := uds.Pair(kind); !errors.Is(err, unix.EPROTOTYPE) {
			t.Errorf("Pair(%s): %v, want EPROTOTYPE", kind, err)
		}
	}
}

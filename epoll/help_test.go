//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds/leaktest"
)

// bothWays runs a test for each way of waiting, and looks for leaks.
func bothWays(t *testing.T, test func(t *testing.T, w epoll.Waiting)) {
	t.Helper()
	for name, w := range map[string]epoll.Waiting{"park": epoll.Park, "block": epoll.Block} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			test(t, w)
		})
	}
}

// newLoop returns a Loop that is closed at the end of the test, if it has not
// been run.
func newLoop(tb testing.TB, w epoll.Waiting) *epoll.Loop {
	tb.Helper()
	l, err := epoll.New(&epoll.Options{Waiting: w})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() }) // ErrStopped if it has run
	return l
}

// run runs l until the end of the test, or until the function that it returns is
// called, which stops it and waits for it.
func run(tb testing.TB, l *epoll.Loop) (stop func()) {
	tb.Helper()
	done := make(chan error, 1)
	go func() {
		err := errors.New("a callback has ended the test")
		defer func() { done <- err }()
		err = l.Run(context.WithoutCancel(tb.Context()))
	}()
	stopped := false
	stop = func() {
		tb.Helper()
		if stopped {
			return
		}
		stopped = true
		l.Stop()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	}
	tb.Cleanup(stop)
	return stop
}

// on runs fn on l's goroutine, and waits for it.
func on(tb testing.TB, l *epoll.Loop, fn func()) {
	tb.Helper()
	done := make(chan struct{})
	if err := l.Post(func() { defer close(done); fn() }); err != nil {
		tb.Fatalf("Post: %v", err)
	}
	next(tb, done)
}

// tcpPair returns both ends of a TCP connection: one for a Loop, which will own
// it, and one for the test, which is closed at its end.
func tcpPair(tb testing.TB) (fd int, peer *net.TCPConn) {
	tb.Helper()
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	peer, err = net.DialTCP("tcp", nil, ln.Addr().(*net.TCPAddr))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = peer.Close() })
	if err := peer.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	c, err := ln.AcceptTCP()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	fd, err = epoll.Duplicate(c)
	if err != nil {
		tb.Fatal(err)
	}
	return fd, peer
}

// unixPair returns both ends of a UNIX socket pair, non-blocking, which are the
// caller's to close, or to hand to a Loop.
func unixPair(tb testing.TB, kind int) (a, b int) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return fds[0], fds[1]
}

// unixPeer is unixPair with one end for a Loop, which will own it, and one for the
// test, which is closed at its end.
func unixPeer(tb testing.TB, kind int) (fd int, peer *net.UnixConn) {
	tb.Helper()
	fd, other := unixPair(tb, kind)
	f := os.NewFile(uintptr(other), "peer")
	defer func() { _ = f.Close() }()
	c, err := net.FileConn(f)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	must(tb, c.SetDeadline(time.Now().Add(patience)))
	return fd, c.(*net.UnixConn)
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// next returns what comes from ch, and ends the test if nothing does.
func next[T any](tb testing.TB, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		tb.Fatal("what was waited for has not come")
		panic("unreachable")
	}
}

// runHere runs l on this goroutine until a callback stops it.
func runHere(tb testing.TB, l *epoll.Loop) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	if err := l.Run(ctx); err != nil {
		tb.Errorf("Run: %v", err)
	}
}

// must ends the test if err is not nil.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// reasons has h's Closed send the reasons to a channel.
func reasons(h *epoll.Handler) <-chan error {
	ch := make(chan error, 1024)
	h.Closed = func(_ *epoll.Conn, reason error) { ch <- reason }
	return ch
}

//go:build linux

package epoll

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is posted to a Loop behind a connection that was handed over to it finds the
// Conn, and opened: whoever closes all of them must not miss one.
func TestPostFindsWhatArrivedBeforeIt(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		acceptor, k := newFakeLoop(t, nil)
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fds[1]) }()
		opened := false
		h := &Handler{Opened: func(*Conn) error { opened = true; return nil }}
		ln, _ := k.listen(acceptor, h, nil)
		ln.opts.Loop = func() *Loop { return l }
		ln.welcome(fds[0])
		found := 0
		err = l.Post(func() {
			for range l.Conns() {
				found++
			}
			if !opened {
				t.Error("the function was called before Opened")
			}
		})
		if err == nil {
			err = l.round()
		}
		if err != nil || found != 1 {
			t.Errorf("the function found %d Conns, %v; want 1, nil", found, err)
		}
	})
}

// Closed is called for those only that were opened, where nobody else knows of a
// Conn: a handler keeps its state in what Opened has made.
func TestPanicInOpenedClosesOthersUnheard(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	opened, closed := 0, 0
	_, f := k.listen(l, &Handler{
		Opened: func(*Conn) error { opened++; panic("blown") },
		Closed: func(*Conn, error) { closed++ },
	}, nil)
	for range 3 {
		f.dial()
	}
	func() {
		defer func() { _ = recover() }()
		_ = l.Run(context.WithoutCancel(t.Context())) // it does not return
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if opened != 1 || closed != 1 {
		t.Errorf("Opened was called %d times, Closed %d times; want 1, 1", opened, closed)
	}
}

// A Conn is not idle before it is opened, however long the callback took in which
// it was attached.
func TestConnIsNotIdleBeforeItIsOpened(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	limits := &Limits{Idle: 100 * time.Millisecond}
	k.attach(l, &Handler{Limits: limits})
	k.rest(l)
	opened, closed := false, false
	l.After(limits.Idle, func() {
		k.attach(l, &Handler{
			Limits: limits,
			Opened: func(*Conn) error { opened = true; return nil },
			Closed: func(_ *Conn, reason error) { closed = reason != ErrStopped },
		})
		k.clock = k.clock.Add(2 * limits.Idle)
	})
	k.clock = k.clock.Add(limits.Idle * 3 / 2)
	if err := l.round(); err != nil {
		t.Fatal(err)
	}
	if !opened || closed {
		t.Errorf("opened = %v, closed = %v; want true, false", opened, closed)
	}
}

// The end of the stream that CloseWrite asked for is not lost with Detach.
func TestDetachBehindCloseWriteTellsTheEnd(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c, peer := couple(t, l, new(Handler))
		l.tidy()
		err := c.CloseWrite()
		if err != nil {
			t.Fatal(err)
		}
		fd, unsent, err := c.Detach()
		if err != nil || len(unsent) > 0 {
			t.Fatalf("Detach = %d, %q, %v; want nothing unsent, nil", fd, unsent, err)
		}
		if n, err := unix.Read(peer, make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("the peer reads %d bytes, %v; want 0, nil: the end", n, err)
		}
		_ = unix.Close(fd) // it is open
	})
}

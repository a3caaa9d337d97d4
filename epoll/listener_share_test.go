//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Loops that listen on one socket share its clients, and go on when one of them
// does not any more.
func TestLoopsShareASocket(t *testing.T) {
	for name, opts := range map[string]*epoll.ListenOptions{
		"WakeAll":          {Wake: epoll.WakeAll},
		"WakeOne":          {Wake: epoll.WakeOne},
		"WakeAll, limited": {Wake: epoll.WakeAll, Limit: 10},
		"WakeOne, limited": {Wake: epoll.WakeOne, Limit: 10},
	} {
		t.Run(name, func(t *testing.T) { bothWays(t, func(t *testing.T, w epoll.Waiting) { shareSocket(t, w, opts) }) })
	}
}

func shareSocket(t *testing.T, w epoll.Waiting, opts *epoll.ListenOptions) {
	const loops, clients = 3, 30
	others := instances(t)
	g := newGroup(t, loops, w)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	e := endpoint{-1, ln.Addr()}
	var opened atomic.Int64
	h := &epoll.Handler{Data: echo, Opened: func(*epoll.Conn) error { opened.Add(1); return nil }}
	var listeners []*epoll.Listener
	for _, l := range g.Loops() {
		ln, err := l.Listen(duplicate(t, ln), h, opts)
		must(t, err)
		listeners = append(listeners, ln)
		wantExclusive(t, ln.FD(), others, opts.Wake == epoll.WakeOne)
	}
	must(t, ln.Close())
	runGroup(t, g)
	var there []net.Conn
	for range clients { // as many as the limits of all allow
		c := e.dial(t)
		says(t, c, "hello")
		there = append(there, c)
	}
	for _, c := range there {
		hears(t, c, "hello")
	}
	on(t, g.Loops()[2], func() { must(t, listeners[2].Close()) })
	t.Logf("the loops have %d, %d, %d clients", g.Loops()[0].Len(), g.Loops()[1].Len(), g.Loops()[2].Len())
	for _, c := range there {
		asks(t, c, "closing is for those who come")
		must(t, c.Close())
	}
	for range clients {
		c := e.dial(t)
		asks(t, c, "hello")
		must(t, c.Close())
	}
	if n := opened.Load(); n != 2*clients {
		t.Errorf("%d Conns, want %d", n, 2*clients)
	}
}

// wantExclusive wants fd to be watched with EPOLLEXCLUSIVE, or without.
func wantExclusive(tb testing.TB, fd int, but []string, want bool) {
	tb.Helper()
	events := watchedFor(tb, fd, but)
	if len(events) != 1 {
		tb.Fatalf("%d is watched %d times, want once", fd, len(events))
	}
	mask, err := strconv.ParseUint(events[0], 16, 32)
	must(tb, err)
	if got := epoll.Events(mask)&epoll.Exclusive != 0; got != want {
		tb.Errorf("watched for %v; exclusive = %v, want %v", epoll.Events(mask), got, want)
	}
}

// Each Loop has a socket of its own, and the kernel spreads the clients.
func TestLoopsShareAPort(t *testing.T) {
	const loops, clients = 2, 64
	reuse := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failure error
		err := c.Control(func(fd uintptr) { failure = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if err == nil {
			err = failure
		}
		return err
	}}
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, loops, w)
		e := endpoint{-1, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
		for _, l := range g.Loops() {
			ln, err := reuse.Listen(t.Context(), "tcp", e.address.String())
			must(t, err)
			e.address = ln.Addr()
			_, err = l.Listen(duplicate(t, ln), &epoll.Handler{Data: echo}, nil)
			must(t, err)
			must(t, ln.Close())
		}
		runGroup(t, g)
		for range clients {
			asks(t, e.dial(t), "hello")
		}
		a, b := g.Loops()[0].Len(), g.Loops()[1].Len()
		if a == 0 || b == 0 || a+b != clients {
			t.Errorf("the loops have %d and %d clients; want some, and %d together", a, b, clients)
		}
	})
}

// A Loop that has ended gets no clients: theirs is a connection that is closed,
// and counts for nothing.
func TestHandOverToALoopThatHasEnded(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l, other := newLoop(t, w), newLoop(t, w)
		other.Stop()
		must(t, other.Run(context.WithoutCancel(t.Context())))
		e := listenAt(t, "tcp")
		to := other
		opts := &epoll.ListenOptions{Limit: 1, Loop: func() *epoll.Loop { return to }}
		_, err := l.Listen(e.fd, &epoll.Handler{Data: echo}, opts)
		must(t, err)
		run(t, l)
		for range 3 {
			wantEnd(t, e.dial(t))
		}
		on(t, l, func() { to = l })
		asks(t, e.dial(t), "hello")
		if other.Len() != 0 || l.Len() != 1 {
			t.Errorf("Len = %d where it has ended, %d otherwise; want 0, 1", other.Len(), l.Len())
		}
	})
}

// A client on its way to a Loop that ends without running is closed with it.
func TestHandOverToALoopThatNeverRuns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l, other := newLoop(t, w), newLoop(t, w)
		e := listenAt(t, "tcp")
		_, err := l.Listen(e.fd, &epoll.Handler{Data: echo}, &epoll.ListenOptions{Loop: func() *epoll.Loop { return other }})
		must(t, err)
		run(t, l)
		c := e.dial(t)
		for other.Len() == 0 {
			on(t, l, func() {})
		}
		must(t, other.Close())
		wantEnd(t, c)
		if n := other.Len(); n != 0 {
			t.Errorf("Len = %d, want 0", n)
		}
	})
}

// wantEnd wants c to be closed by its peer, before a byte has come.
func wantEnd(tb testing.TB, c net.Conn) {
	tb.Helper()
	n, err := c.Read(make([]byte, 1))
	if n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		tb.Errorf("Read = %d, %v; want the end", n, err)
	}
}

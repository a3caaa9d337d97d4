//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func newGroup(tb testing.TB, n int, w epoll.Waiting) *epoll.Group {
	tb.Helper()
	g, err := epoll.NewGroup(n, &epoll.Options{Waiting: w})
	must(tb, err)
	tb.Cleanup(func() { _ = g.Close() }) // ErrStopped if it has run
	return g
}

// runGroup runs g until the end of the test.
func runGroup(tb testing.TB, g *epoll.Group) {
	tb.Helper()
	done := make(chan error, 1)
	go func() { done <- g.Run(context.WithoutCancel(tb.Context())) }()
	tb.Cleanup(func() {
		g.Stop()
		if err := next(tb, done); err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
}

func TestGroupEndsTogether(t *testing.T) {
	cause := errors.New("why")
	for name, test := range map[string]struct {
		end  func(g *epoll.Group, cancel context.CancelCauseFunc)
		want error
	}{
		"Stop":        {func(g *epoll.Group, _ context.CancelCauseFunc) { g.Stop() }, nil},
		"Stop of one": {func(g *epoll.Group, _ context.CancelCauseFunc) { g.Loops()[1].Stop() }, nil},
		"context":     {func(_ *epoll.Group, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				g := newGroup(t, 3, w)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				done := make(chan error, 1)
				go func() { done <- g.Run(ctx) }()
				for _, l := range g.Loops() {
					on(t, l, func() {})
				}
				test.end(g, cancel)
				if err := next(t, done); err != test.want {
					t.Errorf("Run = %v, want %v", err, test.want)
				}
				for i, l := range g.Loops() {
					if err := l.Post(func() {}); err != epoll.ErrStopped {
						t.Errorf("Post to loop %d after Run: %v, want ErrStopped", i, err)
					}
				}
				g.Stop() // harmless
				if err := g.Run(t.Context()); !errors.Is(err, epoll.ErrStopped) {
					t.Errorf("a second Run: %v, want ErrStopped", err)
				}
			})
		})
	}
}

// A Loop that cannot run ends the others, and its error is the Group's.
func TestGroupEndsWithTheErrorOfALoop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 3, w)
		must(t, g.Loops()[2].Close())
		if err := g.Run(t.Context()); !errors.Is(err, epoll.ErrStopped) {
			t.Errorf("Run = %v, want ErrStopped of the Loop that is closed", err)
		}
	})
}

func TestGroupThatNeverRan(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 0, w)
		if n := len(g.Loops()); n != 1 {
			t.Errorf("a Group of 0 has %d Loops, want 1", n)
		}
		must(t, g.Close())
		if err := g.Close(); !errors.Is(err, epoll.ErrStopped) {
			t.Errorf("a second Close: %v, want ErrStopped", err)
		}
	})
}

// Do finds a Conn by its ID, wherever it is, on the goroutine of its Loop.
func TestGroupFindsConns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 3, w)
		conns := make(map[uint64]*epoll.Conn)
		for i := range 10 {
			fd, other := unixPair(t, unix.SOCK_STREAM)
			closing(t, other, nil)
			c, err := g.Loops()[i%3].Attach(fd, &epoll.Handler{})
			must(t, err)
			if conns[c.ID()] != nil {
				t.Errorf("ID %d is given twice", c.ID())
			}
			conns[c.ID()] = c
		}
		runGroup(t, g)
		do := func(id uint64, fn func(c *epoll.Conn)) {
			done := make(chan struct{})
			must(t, g.Do(id, func(c *epoll.Conn) { defer close(done); fn(c) }))
			next(t, done)
		}
		for id, want := range conns {
			do(id, func(c *epoll.Conn) {
				if c != want {
					t.Errorf("Do(%d) found %p, want %p", id, c, want)
					return
				}
				must(t, c.Abort(nil))
			})
			do(id, func(c *epoll.Conn) {
				if c != nil {
					t.Errorf("Do(%d) found %p after Abort, want nil", id, c)
				}
			})
		}
		do(1<<64-1, func(c *epoll.Conn) {
			if c != nil {
				t.Errorf("Do(2⁶⁴-1) found %p, want nil", c)
			}
		})
	})
}

func TestGroupLeast(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 3, w)
		for range 7 {
			fd, other := unixPair(t, unix.SOCK_STREAM)
			closing(t, other, nil)
			_, err := g.Least().Attach(fd, &epoll.Handler{})
			must(t, err)
		}
		for i, want := range []int{3, 2, 2} {
			if n := g.Loops()[i].Len(); n != want {
				t.Errorf("loop %d has %d Conns, want %d", i, n, want)
			}
		}
	})
}

// One Loop accepts, and hands connections over to the others.
func TestGroupSharesWhatOneAccepts(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 3, w)
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		fd, err := epoll.Duplicate(ln.(*net.TCPListener))
		must(t, err)
		address := ln.Addr().String()
		must(t, ln.Close())
		const clients = 9
		opened := make(chan *epoll.Conn, clients)
		h := &epoll.Handler{
			Opened: func(c *epoll.Conn) error { opened <- c; return nil },
			Data:   echo,
		}
		_, err = g.Loops()[0].Listen(fd, h, &epoll.ListenOptions{Loop: g.Least})
		must(t, err)
		runGroup(t, g)
		perLoop := make(map[*epoll.Loop]int)
		for range clients {
			peer, err := net.Dial("tcp4", address)
			must(t, err)
			defer func() { _ = peer.Close() }()
			c := next(t, opened)
			perLoop[c.Loop()]++
			_, err = peer.Write([]byte("hello"))
			must(t, err)
			got := make([]byte, 5)
			if _, err := io.ReadFull(peer, got); string(got) != "hello" || err != nil {
				t.Errorf("the peer read %q, %v; want its own words", got, err)
			}
			done := make(chan bool, 1)
			must(t, g.Do(c.ID(), func(found *epoll.Conn) { done <- found == c }))
			if !next(t, done) {
				t.Errorf("Do(%d) does not find the Conn", c.ID())
			}
		}
		for i, l := range g.Loops() {
			if n := perLoop[l]; n != clients/3 {
				t.Errorf("loop %d got %d connections, want %d", i, n, clients/3)
			}
		}
	})
}

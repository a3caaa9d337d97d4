//go:build linux

package epoll_test

import (
	"testing"

	"github.com/plait-go/plait/epoll"
)

// Who waits in the backlog is accepted many at a time, but not so many that
// others have to wait for all of them.
func TestBacklogIsAcceptedInBatches(t *testing.T) {
	const clients = 200
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		for range clients {
			e.dial(t)
		}
		turns, row, longest, opened := 0, 0, 0, 0
		_, err := l.Listen(e.fd, &epoll.Handler{Opened: func(*epoll.Conn) error {
			row++
			longest = max(longest, row)
			if opened++; opened == clients {
				l.Stop()
			}
			return nil
		}}, nil)
		must(t, err)
		in, out := pipe(t)
		say(t, out)
		_, err = l.Add(in, epoll.Readable, func(epoll.Events) { turns, row = turns+1, 0 })
		must(t, err)
		runHere(t, l)
		if turns > clients/20 || longest > clients/2 {
			t.Errorf("another source had %d turns, and %d clients were accepted before its next one; want at most %d, %d",
				turns, longest, clients/20, clients/2)
		}
	})
}

// With 4 loops at hand, the acceptor gives each the same number of clients.
func TestLeastGetsTheNextConn(t *testing.T) {
	const loops, each = 4, 10
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, loops, w)
		e := listenAt(t, "tcp")
		_, err := g.Loops()[0].Listen(e.fd, &epoll.Handler{Data: echo}, &epoll.ListenOptions{Loop: g.Least})
		must(t, err)
		runGroup(t, g)
		for range loops * each {
			asks(t, e.dial(t), "hello")
		}
		for i, l := range g.Loops() {
			conns := 0
			on(t, l, func() {
				for c := range l.Conns() {
					if conns++; c.Loop() != l {
						t.Errorf("a Conn of loop %d says that it is on another one", i)
					}
				}
			})
			if l.Len() != each || conns != each {
				t.Errorf("loop %d: Len = %d, with %d Conns; want %d", i, l.Len(), conns, each)
			}
		}
	})
}

// The choice of a Loop is made once for each client, so that one that goes around
// gives each Loop as many as the others.
func TestChoiceGoesAround(t *testing.T) {
	const clients = 10
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 2, w)
		loops, calls := g.Loops(), 0
		e := listenAt(t, "tcp")
		around := func() *epoll.Loop { calls++; return loops[calls%len(loops)] }
		_, err := loops[0].Listen(e.fd, &epoll.Handler{Data: echo}, &epoll.ListenOptions{Loop: around})
		must(t, err)
		runGroup(t, g)
		for range clients {
			asks(t, e.dial(t), "hello")
		}
		if a, b := loops[0].Len(), loops[1].Len(); a != clients/2 || b != clients/2 {
			t.Errorf("the loops have %d and %d clients, want %d each", a, b, clients/2)
		}
	})
}

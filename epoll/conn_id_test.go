//go:build linux

package epoll_test

import (
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestIDsAreNeverReused(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		given := make(map[uint64]bool)
		var live []*epoll.Conn
		descriptors := make(map[int]int)
		turn := 0
		var step func()
		step = func() {
			if turn++; turn > 200 {
				l.Stop()
				return
			}
			for range turn % 4 { // now more, now fewer of them
				fd, other := unixPair(t, unix.SOCK_STREAM)
				must(t, unix.Close(other))
				c, err := l.Attach(fd, &epoll.Handler{Opened: func(c *epoll.Conn) error { c.Pause(); return nil }})
				must(t, err)
				if given[c.ID()] {
					t.Errorf("ID %d was given before", c.ID())
				}
				given[c.ID()] = true
				descriptors[fd]++
				live = append(live, c)
			}
			for range min(len(live), (turn+1)%4) {
				i := turn * 7 % len(live)
				must(t, live[i].Abort(nil))
				live = slices.Delete(live, i, i+1)
			}
			for id := range given {
				i := slices.IndexFunc(live, func(c *epoll.Conn) bool { return c.ID() == id })
				want := (*epoll.Conn)(nil)
				if i >= 0 {
					want = live[i]
				}
				if got := l.Conn(id); got != want {
					t.Errorf("Conn(%d) = %p, want %p", id, got, want)
				}
			}
			l.Defer(step)
		}
		l.Defer(step)
		runHere(t, l)
		if len(descriptors) == len(given) {
			t.Error("no descriptor number came twice, so nothing was tested")
		}
	})
}

func TestLookupByID(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		found := func(c *epoll.Conn, when string, want bool) {
			listed := slices.Contains(slices.Collect(l.Conns()), c)
			if got := l.Conn(c.ID()); (got == c) != want || (got == nil) == want || listed != want {
				t.Errorf("Conn(%d) = %p %s, and that it is one of Conns: %v; want %v", c.ID(), got, when, listed, want)
			}
		}
		h := &epoll.Handler{
			Opened: func(c *epoll.Conn) error { found(c, "in Opened", true); return nil },
			Data: func(c *epoll.Conn, _ []byte) error {
				found(c, "in Data", true)
				must(t, c.Close(nil))
				found(c, "after Close", false)
				if n := l.Len(); n != 1 {
					t.Errorf("Len = %d while one is being closed, want 1", n)
				}
				return nil
			},
			Closed: func(c *epoll.Conn, _ error) { found(c, "in Closed", false); l.Stop() },
		}
		c, err := l.Attach(fd, h)
		must(t, err)
		found(c, "after Attach", true)
		for _, id := range []uint64{c.ID() + 1, 0, 1<<64 - 1} {
			if got := l.Conn(id); got != nil {
				t.Errorf("Conn(%d) = %p, want nil", id, got)
			}
		}
		_, err = peer.Write([]byte("x"))
		must(t, err)
		go func() { _, _ = io.Copy(io.Discard, peer); _ = peer.Close() }() // ends with the Conn
		runHere(t, l)
	})
}

func TestConnsWhileTheyComeAndGo(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		attach := func() *epoll.Conn {
			fd, other := unixPair(t, unix.SOCK_STREAM)
			closing(t, other, nil)
			c, err := l.Attach(fd, &epoll.Handler{})
			must(t, err)
			return c
		}
		before := make(map[*epoll.Conn]bool)
		for range 20 {
			before[attach()] = true
		}
		must(t, l.Post(func() {
			seen := make(map[*epoll.Conn]bool)
			for c := range l.Conns() {
				if seen[c] {
					t.Errorf("Conn %d is yielded twice", c.ID())
				}
				seen[c] = true
				must(t, c.Abort(nil))
				if len(seen) < 30 {
					attach()
				}
			}
			for c := range before {
				if !seen[c] {
					t.Errorf("Conn %d is not yielded", c.ID())
				}
			}
			for range l.Conns() {
				break
			}
			l.Stop()
		}))
		runHere(t, l)
	})
}

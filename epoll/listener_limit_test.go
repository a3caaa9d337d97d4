//go:build linux

package epoll_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Beyond the limit clients wait in the backlog, and each one who leaves makes room
// for the one who has waited longest, on whatever Loop that is.
func TestLimitKeepsTheRestWaiting(t *testing.T) {
	for name, loops := range map[string]int{"own loop": 1, "handed over": 3} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				const clients, limit = 10, 3
				g := newGroup(t, loops, w)
				e := listenAt(t, "tcp")
				opts := &epoll.ListenOptions{Limit: limit}
				if loops > 1 {
					opts.Loop = g.Least
				}
				ln, err := g.Loops()[0].Listen(e.fd, &epoll.Handler{Data: echo}, opts)
				must(t, err)
				runGroup(t, g)
				var waiting []net.Conn
				for range clients {
					c := e.dial(t)
					says(t, c, "hello")
					waiting = append(waiting, c)
				}
				for i, c := range waiting {
					if i >= limit {
						wantConns(t, g, limit)
						must(t, waiting[i-limit].Close())
					}
					hears(t, c, "hello")
				}
				on(t, g.Loops()[0], func() { must(t, ln.Close()) })
				for _, c := range waiting[clients-limit:] {
					asks(t, c, "still here")
				}
			})
		})
	}
}

// wantConns wants g to have as many Conns after some rounds of all its Loops.
func wantConns(tb testing.TB, g *epoll.Group, want int) {
	tb.Helper()
	got := 0
	for range 3 {
		got = 0
		for _, l := range g.Loops() {
			on(tb, l, func() {})
			got += l.Len()
		}
	}
	if got != want {
		tb.Errorf("%d Conns, want %d", got, want)
	}
}

// The limit counts who is there: neither those who have closed, nor those who were
// detached, nor those whose Loop had ended.
func TestLimitCountsWhoIsThere(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		detached := make(chan int, 1)
		h := &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
			switch string(p) {
			case "detach":
				fd, _, err := c.Detach()
				detached <- fd
				return err
			case "abort":
				return c.Abort(nil)
			}
			return echo(c, p)
		}}
		_, err := l.Listen(e.fd, h, &epoll.ListenOptions{Limit: 1})
		must(t, err)
		run(t, l)
		for range 3 {
			says(t, e.dial(t), "abort")
			says(t, e.dial(t), "detach")
			must(t, unix.Close(next(t, detached)))
			c := e.dial(t)
			asks(t, c, "hello")
			must(t, c.Close())
		}
	})
}

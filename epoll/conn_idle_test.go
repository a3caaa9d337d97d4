//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestIdleConnIsClosedAndNotEarly(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		const idle = 24 * ms
		l := newLoop(t, w)
		run(t, l)
		for _, what := range []string{"nothing", "a read", "a write"} {
			fd, peer := unixPeer(t, unix.SOCK_STREAM)
			var last time.Time // before the last progress
			h := &epoll.Handler{
				Limits: &epoll.Limits{Idle: idle},
				Data:   func(*epoll.Conn, []byte) error { last = l.Now(); return nil },
			}
			var ended time.Time
			closed := make(chan error, 1)
			h.Closed = func(_ *epoll.Conn, reason error) { ended = time.Now(); closed <- reason }
			on(t, l, func() {
				c, err := l.Attach(fd, h)
				must(t, err)
				last = l.Now()
				switch what {
				case "a read":
					l.After(idle/2, func() { _, _ = peer.Write([]byte("x")) }) // or it is closed, on a slow day
				case "a write":
					l.After(idle/2, func() {
						// On a slow day the bound has passed by now, and what is sent at
						// the end of this round is sent too late.
						if _, err := c.Write([]byte("x")); err == nil && l.Now().Sub(last) < idle {
							last = l.Now()
						}
					})
				}
			})
			if _, err := io.Copy(io.Discard, peer); err != nil {
				t.Errorf("the peer's read: %v, want io.EOF", err)
			}
			must(t, peer.Close())
			reason := next(t, closed)
			if since := ended.Sub(last); since < idle {
				t.Errorf("closed %v after %s, want %v at least", since, what, idle)
			}
			if reason != epoll.ErrIdle {
				t.Errorf("Closed with %v, want ErrIdle", reason)
			}
		}
	})
}

func TestErrIdleIsATimeout(t *testing.T) {
	var timeout net.Error
	if !errors.As(epoll.ErrIdle, &timeout) || !timeout.Timeout() {
		t.Error("ErrIdle is no net.Error that says it is a timeout")
	}
}

// A peer that does not read is idle as well, though there is much to be sent; and
// one who is idle and never closes is gone after one bound more.
func TestIdleConnThatCannotSend(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{
			Limits: &epoll.Limits{Idle: 10 * ms, Close: 10 * ms},
			Opened: func(c *epoll.Conn) error {
				_, err := c.Write(make([]byte, 2<<20))
				return err
			},
		}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		if reason := next(t, closed); !errors.Is(reason, epoll.ErrIdle) {
			t.Errorf("Closed with %v, want ErrIdle", reason)
		}
	})
}

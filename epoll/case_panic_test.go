//go:build linux

package epoll_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A panic finds a Loop in the middle of everything: there are a Listener, Conns
// that have something unsent or are connecting, timers, posts, and connections
// that are about to be handed over. Close releases it all, and says so to each.
func TestCloseAfterAPanicInTheMiddle(t *testing.T) {
	for name, opts := range map[string]*epoll.ListenOptions{
		"accepting":       {Loop: func() *epoll.Loop { panic("blown") }},
		"while it is fed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				e := listenAt(t, "tcp")
				h := &epoll.Handler{Opened: func(c *epoll.Conn) error {
					_, err := c.Write(make([]byte, 1<<20))
					return err
				}}
				closed := reasons(h)
				fd, _ := unixPeer(t, unix.SOCK_STREAM)
				_, err := l.Attach(fd, h)
				must(t, err)
				_, err = l.Dial(silent(t), h)
				must(t, err)
				_, err = l.Listen(e.fd, h, opts)
				must(t, err)
				l.After(patience, func() {})
				must(t, l.Post(func() {}))
				e.dial(t)
				if opts == nil {
					l.Every(1, func() {
						if l.Len() == 3 {
							panic("blown")
						}
					})
				}
				if got := panics(t, l); got != "blown" {
					t.Errorf("Run panicked with %v, want the callback's value", got)
				}
				conns := l.Len()
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				if n := len(closed); n != conns || l.Len() != 0 {
					t.Errorf("Closed %d times, and Len = %d; want %d, 0", n, l.Len(), conns)
				}
				for range conns {
					if reason := next(t, closed); reason != epoll.ErrStopped {
						t.Errorf("Closed with %v, want ErrStopped", reason)
					}
				}
			})
		})
	}
}

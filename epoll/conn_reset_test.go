//go:build linux

package epoll_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A peer that has reset the connection is the reason of the end, whichever call
// notices: shutdown(2) says only that there is no connection.
func TestResetIsTheReason(t *testing.T) {
	for name, notice := range map[string]func(c *epoll.Conn) error{
		"reading":    func(*epoll.Conn) error { return nil },
		"CloseWrite": (*epoll.Conn).CloseWrite,
		"Close":      func(c *epoll.Conn) error { return c.Close(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, peer := tcpPair(t)
				h := &epoll.Handler{Opened: func(c *epoll.Conn) error {
					must(t, peer.SetLinger(0))
					must(t, peer.Close())
					return notice(c)
				}}
				closed := reasons(h)
				_, err := l.Attach(fd, h)
				must(t, err)
				run(t, l)
				if reason := next(t, closed); !errors.Is(reason, unix.ECONNRESET) {
					t.Errorf("Closed with %v, want %v", reason, unix.ECONNRESET)
				}
			})
		})
	}
}

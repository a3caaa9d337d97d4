//go:build linux

package epoll_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// What a peer sends to a Conn that is being closed is thrown away, however long a
// packet it is, and takes nothing from what was written before.
func TestCloseThrowsALongPacketAway(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPair(t, unix.SOCK_SEQPACKET)
		closing(t, peer, nil)
		must(t, unix.SetNonblock(peer, false))
		must(t, unix.SetsockoptInt(peer, unix.SOL_SOCKET, unix.SO_SNDBUF, 200<<10))
		written := 0
		h := &epoll.Handler{Opened: func(c *epoll.Conn) error {
			for c.Unsent() < 4000 { // the kernel takes no more
				if _, err := c.Write(make([]byte, 1000)); err != nil {
					return err
				}
				written++
			}
			return c.Close(nil)
		}}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		must(t, unix.Send(peer, make([]byte, epoll.DefaultTurn+1), 0))
		run(t, l)
		on(t, l, func() {}) // it has been closed, and has read
		on(t, l, func() {})
		if received := packetsUntilEOF(t, peer); received != written {
			t.Errorf("the peer got %d packets of %d", received, written)
		}
		must(t, unix.Shutdown(peer, unix.SHUT_WR))
		if reason := next(t, closed); reason != nil {
			t.Errorf("Closed with %v, want nil", reason)
		}
	})
}

// packetsUntilEOF returns how many packets there are until the end.
func packetsUntilEOF(tb testing.TB, fd int) (n int) {
	tb.Helper()
	p := make([]byte, 2000)
	for {
		size, _, err := unix.Recvfrom(fd, p, 0)
		if errors.Is(err, unix.ECONNRESET) {
			tb.Error("the peer got a reset")
			continue
		}
		must(tb, err)
		if size == 0 {
			return n
		}
		n++
	}
}

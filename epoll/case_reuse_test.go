//go:build linux

package epoll_test

import (
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// When a callback removes a descriptor that is ready as well, closes it, and adds
// another one that gets its number, what is at hand for the old one is for nobody.
func TestNumberReusedBySourceInARound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var fds, peers [2]int
		var sources [2]*epoll.Source
		calls, stale := 0, 0
		for i := range fds {
			fds[i], peers[i] = unixPair(t, unix.SOCK_STREAM)
			must(t, unix.Close(peers[i])) // its event is the worst: a hangup
			var err error
			sources[i], err = l.Add(fds[i], epoll.Readable, func(epoll.Events) {
				calls++
				other := 1 - i
				must(t, sources[i].Remove())
				must(t, sources[other].Remove())
				must(t, unix.Close(fds[other]))
				fd, peer := pairAt(t, fds[other])
				peers[other] = peer
				sources[other], err = l.Add(fd, epoll.Readable, func(epoll.Events) {
					stale++
					must(t, sources[other].Remove())
				})
				must(t, err)
				l.Defer(func() {
					if stale != 0 {
						t.Error("the new source was called for an event of the old one")
					}
					_, err := unix.Write(peer, []byte("!"))
					must(t, err)
					l.Drain(nil)
				})
				peers[i] = -1
			})
			must(t, err)
		}
		runHere(t, l)
		if calls != 1 || stale != 1 {
			t.Errorf("the old sources were called %d times, the new one %d times; want 1, 1", calls, stale)
		}
		for _, fd := range append(fds[:], peers[:]...) {
			_ = unix.Close(fd) // one is closed
		}
	})
}

// The same where both are Conns.
func TestNumberReusedByConnInARound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var calls []string
		fresh := &epoll.Handler{
			Opened: func(*epoll.Conn) error { calls = append(calls, "opened"); return nil },
			Data:   func(_ *epoll.Conn, p []byte) error { calls = append(calls, string(p)); return nil },
			Closed: func(_ *epoll.Conn, reason error) {
				if reason != io.EOF {
					t.Errorf("Closed with %v, want io.EOF", reason)
				}
				l.Stop()
			},
		}
		var cs [2]*epoll.Conn
		h := &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
			calls = append(calls, string(p))
			other := cs[0]
			if c == other {
				other = cs[1]
			}
			fd, _, err := other.Detach()
			must(t, err)
			must(t, unix.Close(fd))
			fd, peer := pairAt(t, fd)
			_, err = l.Attach(fd, fresh)
			must(t, err)
			l.Defer(func() {
				_, err := unix.Write(peer, []byte("new"))
				must(t, err)
				must(t, unix.Close(peer))
			})
			return nil
		}}
		for i := range cs {
			fd, peer := unixPair(t, unix.SOCK_STREAM)
			_, err := unix.Write(peer, []byte("old"))
			must(t, err)
			must(t, unix.Close(peer))
			cs[i], err = l.Attach(fd, h)
			must(t, err)
		}
		runHere(t, l)
		if want := []string{"old", "opened", "new"}; !slices.Equal(calls, want) {
			t.Errorf("calls: %q, want %q", calls, want)
		}
	})
}

// A Conn that has a dead one's number, and is connecting, must not take a hangup
// of that one for the answer of its peer.
func TestNumberReusedByDialInARound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		address := silent(t)
		var fds [2]int
		var sources [2]*epoll.Source
		dialed := &epoll.Handler{
			Opened: func(*epoll.Conn) error { t.Error("Opened, though nobody has answered"); return nil },
			Closed: func(_ *epoll.Conn, reason error) {
				if reason != io.EOF {
					t.Errorf("Closed with %v, want what Abort was given", reason)
				}
				l.Stop()
			},
		}
		for i := range fds {
			fd, peer := unixPair(t, unix.SOCK_STREAM)
			must(t, unix.Close(peer))
			fds[i] = fd
			var err error
			sources[i], err = l.Add(fd, epoll.Readable, func(epoll.Events) {
				must(t, sources[0].Remove())
				must(t, sources[1].Remove())
				other := fds[1-i]
				fill(t, other)
				must(t, unix.Close(other))
				c, err := l.Dial(address, dialed)
				must(t, err)
				if c.FD() != other {
					t.Fatalf("the new descriptor is %d, want %d", c.FD(), other)
				}
				must(t, unix.Close(fds[i]))
				rounds(l, 3, func() { _ = c.Abort(io.EOF) }) // or it is closed
			})
			must(t, err)
		}
		runHere(t, l)
	})
}

// fill takes all numbers below fd, until the end of the test.
func fill(tb testing.TB, fd int) {
	tb.Helper()
	for {
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		must(tb, err)
		if n > fd {
			must(tb, unix.Close(n))
			return
		}
		tb.Cleanup(func() { _ = unix.Close(n) })
	}
}

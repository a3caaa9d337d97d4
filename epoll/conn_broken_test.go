//go:build linux

package epoll

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// A peer that takes no more may be silent for ever. The Conn is closed all the same
// when a write has failed: behind what there is to be read, however that ends.
func TestFailedWriteClosesBesideASilentPeer(t *testing.T) {
	const turn = 10
	for _, length := range []int{0, turn - 1, turn, turn + 1, 2 * turn, 3 * turn, 10 * turn} {
		said := string(pattern(length))
		for _, n := range []unix.Errno{unix.EPIPE, unix.ECONNRESET} {
			l, k := newFakeLoop(t, nil)
			var r record
			c, f := k.attach(l, r.handler(&Limits{Turn: turn}))
			k.rest(l)
			k.script["write"] = []unix.Errno{n}
			if _, err := c.Write([]byte("answer")); err != nil {
				t.Fatal(err)
			}
			f.send([]byte(said))
			k.rest(l)
			if said == "" {
				r.want(t, "Opened", "Closed")
			} else {
				r.want(t, "Opened", "Data", "Closed")
			}
			if string(r.data) != said || !errors.Is(r.reason, n) || !f.closed {
				t.Errorf("%d bytes: Data got %d, Closed with %v, closed = %v; want the same, %v, true", length, len(r.data), r.reason, f.closed, n)
			}
		}
	}
}

// Where the handler does not read, what was sent stays to be read: the error is told
// behind it, after Resume.
func TestFailedWriteOfAPausedConn(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	k.rest(l)
	c.Pause()
	k.script["write"] = []unix.Errno{unix.EPIPE}
	if _, err := c.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	f.send([]byte("last words"))
	k.rest(l)
	r.want(t, "Opened")
	c.Resume()
	k.rest(l)
	r.want(t, "Opened", "Data", "Closed")
	if string(r.data) != "last words" || !errors.Is(r.reason, unix.EPIPE) {
		t.Errorf("Data got %q, Closed with %v; want %q, %v", r.data, r.reason, "last words", unix.EPIPE)
	}
}

// The kernel tells nothing of a peer that has only shut its reading end.
func TestPeerThatReadsNoMore(t *testing.T) {
	for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET} {
		ways(t, func(t *testing.T, l *Loop) {
			var r record
			attach := couple
			if kind == unix.SOCK_SEQPACKET {
				attach = packetPair
			}
			c, peer := attach(t, l, r.handler(nil))
			if err := unix.Shutdown(peer, unix.SHUT_RD); err != nil {
				t.Fatal(err)
			}
			if _, err := unix.Write(peer, []byte("last words")); err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte("lost")) // a packet is sent at once, and refused
			l.tidy()
			r.want(t, "Opened", "Data", "Closed")
			if string(r.data) != "last words" || !errors.Is(r.reason, unix.EPIPE) {
				t.Errorf("Data got %q, Closed with %v; want %q, %v", r.data, r.reason, "last words", unix.EPIPE)
			}
		})
	}
}

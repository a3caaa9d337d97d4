//go:build linux

package uds_test

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// childHolds starts a child that has the other end of c and nothing else.
func childHolds(tb testing.TB, kind uds.Kind) (c *uds.Conn, holder *child) {
	tb.Helper()
	c, other := pair(tb, kind)
	f, err := other.File()
	must(tb, err)
	holder = startChild(tb, "hold", nil, f)
	holder.expect(tb, "ready")
	must(tb, f.Close())
	must(tb, other.Close())
	return c, holder
}

// That the peer's process is dead the kernel tells at once, to those on a connection.
func TestPeerKilled(t *testing.T) {
	const events = unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			c, holder := childHolds(t, kind)
			if got := polled(t, c, events); got != unix.POLLOUT {
				t.Errorf("poll = %#x, want POLLOUT", got)
			}
			receive := waiting(t, func() error { return second(c.Receive(patient(t), make([]byte, 1))) })
			holder.kill(t)
			want := int16(unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP | unix.POLLHUP)
			if kind == uds.Datagram {
				want = unix.POLLOUT
			}
			if got := polled(t, c, events); got != want {
				t.Errorf("poll after the peer's death = %#x, want %#x", got, want)
			}
			if kind == uds.Datagram {
				if _, err := c.TryReceive(make([]byte, 1)); err != uds.ErrEmpty {
					t.Errorf("TryReceive = %v, want ErrEmpty", err)
				}
			} else if err := result(t, receive); err != io.EOF {
				t.Errorf("Receive = %v, want io.EOF", err)
			}
			if _, err := c.TrySend([]byte("x")); !errors.Is(err, uds.ErrPeerClosed) {
				t.Errorf("TrySend = %v, want ErrPeerClosed", err)
			}
			must(t, c.Close())
			if kind == uds.Datagram {
				_ = result(t, receive) // Close ended it
			}
		})
	}
}

// As long as anybody has the peer's end, the peer is not gone, and what is sent waits
// for the next who reads.
func TestPeerDuplicate(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			f, err := b.File()
			must(t, err)
			holder := startChild(t, "hold", nil, f)
			holder.expect(t, "ready")
			must(t, f.Close())
			must(t, b.Close())
			receive := waiting(t, func() error { return second(a.Receive(patient(t), make([]byte, 1))) })
			if n, err := a.TrySend([]byte("x")); n != 1 || err != nil {
				t.Errorf("TrySend to an end that a child holds = %d, %v", n, err)
			}
			if len(receive) > 0 {
				t.Errorf("Receive from an end that a child holds: %v, want it to wait", <-receive)
			}
			holder.end(t)
			if kind == uds.Datagram {
				must(t, a.Close())
			}
			// The child had not read x: a Stream says so.
			err = result(t, receive)
			if ok := err == io.EOF || kind != uds.SeqPacket && err != nil; !ok {
				t.Errorf("Receive after the last holder's end: %v", err)
			}
		})
	}
}

// What was sent is lost if the peer closes without reading it, and is not if another
// descriptor of that end is open.
func TestQueueOutlivesDescriptor(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		for range 10 {
			must(t, second(a.TrySend([]byte("message "))))
		}
		take := func(c *uds.Conn, count int) {
			for range count {
				if n, err := c.TryReceive(make([]byte, 8)); n != 8 || err != nil {
					t.Errorf("%s: TryReceive = %d, %v; want 8", kind, n, err)
				}
			}
		}
		take(b, 2)
		f, err := b.File()
		must(t, err)
		must(t, b.Close())
		successor, err := uds.FromFile(f)
		must(t, err)
		must(t, f.Close())
		take(successor, 8)
		if _, err := successor.TryReceive(make([]byte, 8)); err != uds.ErrEmpty {
			t.Errorf("%s: TryReceive: %v, want ErrEmpty", kind, err)
		}
		must(t, second(a.TrySend([]byte("lost"))))
		must(t, successor.Close())
		if _, err := a.TrySend([]byte("x")); !errors.Is(err, uds.ErrPeerClosed) {
			t.Errorf("%s: TrySend: %v, want ErrPeerClosed", kind, err)
		}
	}
}

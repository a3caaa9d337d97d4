//go:build linux

package epoll

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// packetPair attaches one end of a pair of packet sockets, and returns the other.
func packetPair(tb testing.TB, l *Loop, h *Handler) (c *Conn, peer int) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fds[1]) })
	c, err = l.Attach(fds[0], h)
	if err != nil {
		tb.Fatal(err)
	}
	l.tidy()
	return c, fds[1]
}

// A turn that counts bytes alone would not end before a quarter of a million packets
// of one byte are read, from a peer that is as fast as the Loop.
func TestFloodOfSmallPacketsEndsItsTurn(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		const most = 1000
		setClock(l) // so that no round waits
		read, heard := 0, 0
		_, peer := packetPair(t, l, &Handler{Data: func(*Conn, []byte) error { read++; return nil }})
		_, other := packetPair(t, l, &Handler{Data: func(*Conn, []byte) error { heard++; return nil }})
		receive := l.kernel.receiveFrom
		l.kernel.receiveFrom = func(fd int, p []byte) (int, unix.Sockaddr, unix.Errno) {
			n, from, err := receive(fd, p)
			if err == unix.EAGAIN && read > 0 && read < 1<<20 && heard == 0 { // there is always one more
				return 1, nil, 0
			}
			return n, from, err
		}
		for _, fd := range []int{peer, other} {
			if _, err := unix.Write(fd, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if read == 0 || read > most || heard != 1 {
			t.Errorf("%d packets in a turn, %d of another Conn; want some, %d at most, and 1", read, heard, most)
		}
	})
}

// A packet that is unsent takes memory besides its bytes. If that did not count, the
// limits would allow for a hundred times what they say.
func TestSmallPacketsCountForWhatTheyTake(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		const limit = 12 << 10
		setClock(l) // so that no round waits
		drained := 0
		c, peer := packetPair(t, l, &Handler{
			Limits:  &Limits{Turn: 1 << 10, Frame: 1 << 10, HighWater: 10 << 10},
			Drained: func(*Conn) error { drained++; return nil },
		})
		written := 0
		var err error
		for ; err == nil && written < 1<<20; written++ {
			_, err = c.Write([]byte{byte(written)})
		}
		written--
		queued := len(c.out.more)
		if !errors.Is(err, ErrFull) || queued == 0 || 64*queued > limit {
			t.Fatalf("%d packets of a byte are unsent, then %v; want %d at most, then %v", queued, err, limit/64, ErrFull)
		}
		if !c.Full() || c.Unsent() < 64*queued || c.Unsent() > limit {
			t.Errorf("Full() = %v, Unsent() = %d with %d packets; want true, and from %d to %d", c.Full(), c.Unsent(), queued, 64*queued, limit)
		}
		l.tidy()
		p := make([]byte, 10)
		for i := 0; i < written; {
			n, err := unix.Read(peer, p)
			if before := c.Unsent(); err == unix.EAGAIN && before > 0 {
				if err := l.round(); err != nil || c.Unsent() >= before {
					t.Fatalf("round = %v, and leaves %d of %d unsent; want nil, and less", err, c.Unsent(), before)
				}
				continue
			}
			if n != 1 || err != nil || p[0] != byte(i) {
				t.Fatalf("packet %d: %x, %v; want %x", i, p[:max(n, 0)], err, byte(i))
			}
			i++
		}
		if c.Unsent() != 0 || c.Full() || drained != 1 {
			t.Errorf("Unsent() = %d, Full() = %v, Drained was called %d times; want 0, false, 1", c.Unsent(), c.Full(), drained)
		}
	})
}

// A stream has no messages, and its end would be told as an empty one for ever.
func TestPacketsOfAStreamSocket(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET} {
			fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			c, err := l.Packets(fds[0], new(PacketHandler))
			if c != nil || !errors.Is(err, unix.EPROTOTYPE) {
				t.Errorf("Packets of a socket of type %d = %v, %v; want nil, %v", kind, c, err, unix.EPROTOTYPE)
			}
			for _, fd := range fds { // which are the caller's
				if err := unix.Close(fd); c == nil && err != nil {
					t.Errorf("close: %v", err)
				}
			}
		}
		if p := l.Pins(); p != (Pins{}) {
			t.Errorf("Pins() = %+v, want none", p)
		}
	})
}

//go:build linux

package epoll

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A Conn that cannot write any more has lost what was written: it is not to be had
// by Detach as if nothing had been.
func TestDetachAfterAFailedWrite(t *testing.T) {
	for _, n := range []unix.Errno{unix.EPIPE, unix.ECONNRESET} {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.attach(l, r.handler(nil))
		k.rest(l)
		l.Defer(func() {
			k.script["write"] = []unix.Errno{n}
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			fd, unsent, err := c.Detach() // which tries to send it
			if fd != -1 || unsent != nil || !errors.Is(err, n) {
				t.Errorf("Detach = %d, %q, %v; want -1, nil, %v", fd, unsent, err, n)
			}
		})
		k.rest(l)
		r.want(t, "Opened", "Closed")
		if !errors.Is(r.reason, n) || !f.closed {
			t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, n)
		}
	}
}

// Packets that were not sent come back one by one: whoever sends them has to keep
// their boundaries.
func TestDetachReturnsUnsentPackets(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c, peer := packetPair(t, l, new(Handler))
		var want, got []string
		for i := 0; c.out == nil || len(c.out.more) < 10; i++ {
			p := append(fmt.Appendf(nil, "%d:", i), make([]byte, i%100)...)
			if _, err := c.Write(p); err != nil {
				t.Fatal(err)
			}
			want = append(want, string(p))
		}
		fd, unsent, err := c.Detach()
		if err != nil || len(unsent) != 10 {
			t.Fatalf("Detach returned %d packets, %v; want 10, nil", len(unsent), err)
		}
		defer func() { _ = unix.Close(fd) }()
		p := make([]byte, 1000)
		for {
			n, err := unix.Read(peer, p)
			if err != nil {
				break
			}
			got = append(got, string(p[:n]))
		}
		for _, p := range unsent {
			got = append(got, string(p))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d packets, of which %d were unsent; want the %d that were written", len(got), len(unsent), len(want))
		}
	})
}

// What was unsent is the caller's: it must not lie in a buffer that others write to.
func TestUnsentOfDetachStaysAsItIs(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c, _ := couple(t, l, new(Handler))
		for err := error(nil); err == nil; { // until there is no room
			_, err = unix.Write(c.FD(), make([]byte, 1<<10))
		}
		written := pattern(chunk / 2)
		if _, err := c.Write(written); err != nil {
			t.Fatal(err)
		}
		fd, unsent, err := c.Detach()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fd) }()
		other, _ := couple(t, l, new(Handler))
		if _, err := other.Write(make([]byte, chunk/2)); err != nil {
			t.Fatal(err)
		}
		if got := slices.Concat(unsent...); !slices.Equal(got, written) {
			t.Errorf("unsent is %d bytes that another Conn has written over, want the %d that were written", len(got), len(written))
		}
	})
}

//go:build linux

package epoll

import (
	"errors"
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

// A Conn whose Drained fills it again, and whose peer takes everything, is never
// done. It must not keep the others from their turn, nor wait for an event to go on.
func TestDrainedThatFillsAgainLeavesOthersTheirTurn(t *testing.T) {
	const rounds, most = 20, 100 // calls of Drained in a round
	l, k := newFakeLoop(t, nil)
	calls := 0
	fill := func(c *Conn) error {
		if calls++; calls > rounds*most {
			return errors.New("too many calls") // or the test would never end
		}
		_, err := c.Write(make([]byte, 1000))
		return err
	}
	_, f := k.attach(l, &Handler{Opened: fill, Drained: fill, Limits: &Limits{HighWater: 500}})
	f.space = math.MaxInt / 2
	heard := 0
	_, other := k.attach(l, &Handler{Data: func(*Conn, []byte) error { heard++; return nil }})
	if l.tidy(); calls > most {
		t.Fatalf("%d calls of Drained at first, want %d at most", calls, most)
	}
	for round := range rounds {
		before := calls
		if round%2 == 1 { // in the others there is no event
			other.send([]byte("x"))
		}
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if n := calls - before; n == 0 || n > most {
			t.Fatalf("%d calls of Drained in a round, want some, and %d at most", n, most)
		}
	}
	if heard != rounds/2 {
		t.Errorf("another Conn was heard %d times, want %d", heard, rounds/2)
	}
}

// What is written to very many Conns leaves before all of them hold a buffer of the
// size that is good for one, and so does what is written to them again in the same
// callback.
func TestBroadcastInTwoPassesHoldsFewChunks(t *testing.T) {
	for name, space := range map[string]int{"to those who read": 100, "to those who do not": 0} {
		t.Run(name, func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			var cs []*Conn
			var fs []*fakeFile
			for range 500 {
				c, f := k.attach(l, new(Handler))
				f.space = space
				cs, fs = append(cs, c), append(fs, f)
			}
			k.rest(l)
			most := 0
			l.Defer(func() {
				for _, message := range []string{"one ", "two"} {
					for _, c := range cs {
						if _, err := c.Write([]byte(message)); err != nil {
							t.Fatalf("Write(%q) = %v", message, err)
						}
						most = max(most, lent(l))
					}
				}
			})
			k.rest(l)
			if most > 64 || lent(l) != 0 {
				t.Errorf("%d chunks of %d bytes in use at once, and %d in the end; want 64 at most, and 0", most, chunk, lent(l))
			}
			for i, f := range fs {
				f.space = 100
				f.changes++
				k.rest(l)
				if got := f.receive(100); string(got) != "one two" {
					t.Fatalf("peer %d got %q, want %q", i, got, "one two")
				}
			}
		})
	}
}

// What waits for a peer to answer may wait for long: many such Conns must not hold
// a chunk each.
func TestConnectingConnHoldsLittle(t *testing.T) {
	for _, n := range []unix.Errno{unix.EINPROGRESS, unix.EAGAIN} {
		l, k := newFakeLoop(t, nil)
		c, f := k.dial(l, new(Handler), n)
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatalf("Write = %v", err)
		}
		l.tidy()
		if c.Unsent() != 5 || cap(c.out.buf) > 1024 {
			t.Errorf("%d bytes are unsent, in a buffer of %d; want 5, in one of 1024 at most", c.Unsent(), cap(c.out.buf))
		}
		k.advance(l, minBackoff)
		f.accepts()
		k.rest(l)
		if got := f.receive(100); string(got) != "hello" {
			t.Errorf("the peer got %q, want %q", got, "hello")
		}
	}
}

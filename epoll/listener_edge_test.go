//go:build linux

package epoll

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Listener whose limit is reached by the last one of a batch must not stay in the
// epoll set: it would be woken for the next one, which it cannot have, in place of
// another Loop.
func TestListenerIsNotWatchedAtItsLimit(t *testing.T) {
	for _, limit := range []int{1, acceptBatch - 1, acceptBatch, 2 * acceptBatch} {
		l, k := newFakeLoop(t, nil)
		var first *Conn
		h := &Handler{Opened: func(c *Conn) error { first = c; return nil }}
		ln, f := k.listen(l, h, &ListenOptions{Wake: WakeOne, Limit: limit})
		for range limit {
			f.dial()
		}
		for l.Len() < limit {
			if err := l.round(); err != nil {
				t.Fatalf("round: %v", err)
			}
		}
		if k.find(ln.FD()) != nil {
			t.Errorf("limit of %d: the Listener is watched with as many Conns", limit)
		}
		f.dial()
		k.rest(l)
		if l.Len() != limit {
			t.Errorf("limit of %d: %d Conns", limit, l.Len())
		}
		if err := first.Abort(nil); err != nil {
			t.Fatal(err)
		}
		k.rest(l)
		if l.Len() != limit || len(*f.backlog) != 0 {
			t.Errorf("limit of %d: %d Conns and %d waiting when one has left; want as many, and 0", limit, l.Len(), len(*f.backlog))
		}
	}
}

// A choice may close the Listener that asks: the connection goes with it, and
// nothing is closed twice.
func TestChoiceThatClosesTheListener(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var ln *Listener
	ln, f := k.listen(l, new(Handler), &ListenOptions{Loop: func() *Loop {
		if err := ln.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		return l
	}})
	conn := f.dial()
	f.dial() // is not asked for any more
	k.rest(l)
	if !conn.closed || !f.closed || l.Len() != 0 || k.calls["accept"] != 1 {
		t.Errorf("connection closed: %v, Listener closed: %v, %d Conns, %d accepted; want true, true, 0, 1", conn.closed, f.closed, l.Len(), k.calls["accept"])
	}
	if err := ln.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close = %v, want %v", err, os.ErrClosed)
	}
	if p := l.Pins(); p != (Pins{}) {
		t.Errorf("Pins() = %+v, want none", p)
	}
}

// A choice that finds nobody leaves the connection to the Listener's own Loop: it
// must not panic, nor leave the descriptor open.
func TestChoiceOfNobodyIsTheOwnLoop(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	_, f := k.listen(l, r.handler(nil), &ListenOptions{Loop: func() *Loop { return nil }})
	f.dial().send([]byte("x"))
	k.rest(l)
	r.want(t, "Opened", "Data")
	if l.Len() != 1 {
		t.Errorf("%d Conns, want 1", l.Len())
	}
}

// A Listener that gets no descriptor for long tries many times. What it keeps for
// that must not grow with each.
func TestPausesDoNotPileUp(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	_, f := k.listen(l, new(Handler), nil)
	_, g := k.listen(l, new(Handler), nil)
	f.dial()
	g.dial()
	k.script["accept"] = fails(unix.EMFILE, 100)
	k.advance(l, 45*time.Second)
	if tries := 100 - len(k.script["accept"]); tries < 50 || len(l.starved) != 2 {
		t.Errorf("%d tries, and %d places for two Listeners; want 50 or more, and 2", tries, len(l.starved))
	}
	k.script["accept"] = nil
	k.advance(l, maxBackoff)
	if l.Len() != 2 {
		t.Errorf("%d Conns, want 2", l.Len())
	}
}

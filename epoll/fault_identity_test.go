//go:build linux

package epoll

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// A number that is closed and given to another descriptor in a batch gets none of
// the events that were at hand for the one before.
func TestNumberIsReusedInABatch(t *testing.T) {
	for _, removes := range []bool{true, false} {
		l, k := newFakeLoop(t, nil)
		first, f := k.pipeEnd()
		second, g := k.pipeEnd()
		var victim, heir *Source
		reused := false
		_, err := l.Add(first, Readable, func(Events) {
			f.in = nil
			if removes {
				if err := victim.Remove(); err != nil {
					t.Errorf("Remove: %v", err)
				}
			}
			k.closeForeign(second)
			k.openAs(second, &fakeFile{foreign: true})
			var err error
			heir, err = l.Add(second, Readable, func(e Events) { t.Errorf("the new Source was told %v", e) })
			if err != nil {
				t.Fatal(err)
			}
			reused = true
		})
		if err != nil {
			t.Fatal(err)
		}
		victim, err = l.Add(second, Readable, func(e Events) { t.Errorf("the old Source was told %v", e) })
		if err != nil {
			t.Fatal(err)
		}
		f.send([]byte("x"))
		g.send([]byte("x"))
		k.rest(l)
		if !reused {
			t.Fatal("nothing was told")
		}
		if !removes {
			if err := victim.Remove(); err != nil {
				t.Errorf("Remove of what was closed before = %v, want nil", err)
			}
		}
		if in := k.find(second); in == nil || in.gen != heir.gen {
			t.Error("the new Source is not watched")
		}
	}
}

// A Conn that is closed in a batch may leave its number to one that is accepted
// in the same batch.
func TestConnTakesANumberInABatch(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var old, accepted record
	c, f := k.attach(l, old.handler(nil))
	number := c.FD()
	_, backlog := k.listen(l, accepted.handler(nil), nil)
	backlog.dial().send([]byte("new"))
	k.rest(l)
	accepted = record{}
	old.then = func(c *Conn, call string) error {
		if call == "Data" {
			return c.Abort(io.ErrNoProgress)
		}
		return nil
	}
	next := backlog.dial()
	next.send([]byte("new"))
	f.send([]byte("old"))
	k.rest(l)
	if k.files[number] != next {
		t.Fatal("the number was not taken again")
	}
	old.want(t, "Opened", "Data", "Closed")
	accepted.want(t, "Opened", "Data")
	if string(old.data) != "old" || string(accepted.data) != "new" {
		t.Errorf("Data got %q and %q, want %q and %q", old.data, accepted.data, "old", "new")
	}
}

// A hangup cannot be masked: it is told once, and then no more until something is
// asked for.
func TestHangupOfASourceThatAsksForNothing(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, f := k.pipeEnd()
	var told []Events
	s, err := l.Add(fd, 0, func(e Events) { told = append(told, e) })
	if err != nil {
		t.Fatal(err)
	}
	f.hangUp(unix.EPIPE)
	if n := k.rest(l); n > 3 {
		t.Errorf("%d rounds after a hangup, want 3 at most", n)
	}
	if len(told) != 1 || told[0]&Hangup == 0 {
		t.Errorf("told %v, want a hangup once", told)
	}
	if err := s.Set(Readable); err != nil {
		t.Fatal(err)
	}
	if err := l.round(); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[1]&Readable == 0 {
		t.Errorf("told %v, want that it is readable, too", told)
	}
	if err := s.Remove(); err != nil {
		t.Errorf("Remove: %v", err)
	}
}

// A peer that hangs up while reading is paused costs no rounds. What it sent, and
// the end, are there after Resume.
func TestHangupWhileReadingIsPaused(t *testing.T) {
	for _, resets := range []bool{false, true} {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.attach(l, r.handler(nil))
		k.rest(l)
		c.Pause()
		f.send([]byte("last words"))
		k.rest(l)
		if resets {
			f.hangUp(unix.ECONNRESET)
		} else {
			f.hangUp(0)
		}
		if n := k.rest(l); n > 3 {
			t.Errorf("%d rounds after a hangup, want 3 at most", n)
		}
		r.want(t, "Opened")
		before := k.calls["wait"]
		k.rest(l)
		if n := k.calls["wait"] - before; n != 1 {
			t.Errorf("%d waits while paused, want 1", n)
		}
		c.Resume()
		k.rest(l)
		r.want(t, "Opened", "Data", "Closed")
		if string(r.data) != "last words" {
			t.Errorf("Data got %q, want %q", r.data, "last words")
		}
	}
}

// What is at hand for a Source is told as it asks now. A hangup that it has not
// heard of yet is told later.
func TestSetInABatch(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	first, f := k.pipeEnd()
	second, g := k.pipeEnd()
	var told []Events
	var s *Source
	_, err := l.Add(first, Readable, func(Events) {
		f.in = nil
		if err := s.Set(0); err != nil {
			t.Errorf("Set: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = l.Add(second, Readable, func(e Events) { told = append(told, e) }); err != nil {
		t.Fatal(err)
	}
	f.send([]byte("x"))
	g.send([]byte("x"))
	k.rest(l)
	if len(told) > 0 {
		t.Errorf("after Set(0) told %v, want nothing", told)
	}
	told = nil
	g.hangUp(unix.EPIPE)
	k.rest(l)
	if len(told) != 1 || told[0]&Hangup == 0 {
		t.Errorf("told %v, want a hangup once", told)
	}
}

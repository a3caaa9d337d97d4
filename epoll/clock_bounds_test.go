//go:build linux

package epoll

import (
	"errors"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// takesLong attaches a Conn whose Data takes ten seconds, and has the time of the
// round asked for before.
func (k *fakeKernel) takesLong(l *Loop) *fakeFile {
	k.tb.Helper()
	_, f := k.attach(l, &Handler{
		Data: func(*Conn, []byte) error {
			l.Now()
			k.clock = k.clock.Add(10 * time.Second)
			return nil
		},
		Limits: &Limits{Idle: time.Hour},
	})
	return f
}

// A callback that takes long makes the time of the round an old one. Those whose
// bytes are read behind it have moved just now, and are not idle.
func TestIdleCountsFromTheRead(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	slow := k.takesLong(l)
	var r record
	_, f := k.attach(l, r.handler(&Limits{Idle: time.Second}))
	k.rest(l)
	slow.send([]byte("x"))
	f.send([]byte("x"))
	k.rest(l)
	k.advance(l, time.Second-1)
	r.want(t, "Opened", "Data")
	if f.shut {
		t.Error("closed before its bound")
	}
	k.advance(l, time.Second/8+1)
	if f.sendEOF(); !f.shut {
		t.Error("open behind its bound")
	}
	k.rest(l)
	if !errors.Is(r.reason, ErrIdle) {
		t.Errorf("Closed with %v, want %v", r.reason, ErrIdle)
	}
}

// So does what is dialed at the end of such a callback have all its time.
func TestDialBoundCountsFromDial(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	l.Defer(func() {
		l.Now()
		k.clock = k.clock.Add(2 * DefaultDial)
		k.dial(l, r.handler(nil), unix.EINPROGRESS)
	})
	k.rest(l)
	k.advance(l, DefaultDial-1)
	r.want(t)
	k.advance(l, DefaultDial/8+1)
	r.want(t, "Closed")
	if !errors.Is(r.reason, unix.ETIMEDOUT) {
		t.Errorf("Closed with %v, want %v", r.reason, unix.ETIMEDOUT)
	}
}

// And what is closed there has all its time to send what is unsent.
func TestCloseBoundCountsFromClose(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	f.space = 0
	k.rest(l)
	l.Defer(func() {
		l.Now()
		k.clock = k.clock.Add(2 * DefaultClose)
		_, _ = c.Write([]byte("reply")) // there is room
		_ = c.Close(nil)                // it is open
	})
	k.rest(l)
	k.advance(l, DefaultClose-1)
	r.want(t, "Opened")
	k.advance(l, DefaultClose/8+1)
	r.want(t, "Opened", "Closed")
	if !errors.Is(r.reason, os.ErrDeadlineExceeded) {
		t.Errorf("Closed with %v, want %v", r.reason, os.ErrDeadlineExceeded)
	}
}

// What passes between the making of a Loop and Run is no time of its Conns: the
// first round must not take the time of the set-up for its own.
func TestTimeOfTheSetUpDoesNotCount(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	l.Now()
	var r record
	_, _ = k.attach(l, r.handler(&Limits{Idle: time.Second}))
	k.clock = k.clock.Add(10 * time.Second)
	r.then = func(_ *Conn, call string) error {
		if now := l.Now(); call == "Opened" && !now.Equal(k.clock) {
			t.Errorf("Now in Opened is %v old, want 0", k.clock.Sub(now))
		}
		return nil
	}
	rounds := 0
	var again func()
	again = func() {
		if rounds++; rounds == 5 {
			r.want(t, "Opened")
			l.Stop()
			return
		}
		l.Defer(again)
	}
	l.Defer(again)
	if err := l.Run(t.Context()); err != nil || rounds != 5 {
		t.Errorf("Run = %v after %d rounds, want nil after 5", err, rounds)
	}
	if !errors.Is(r.reason, ErrStopped) {
		t.Errorf("Closed with %v, want %v", r.reason, ErrStopped)
	}
}

// The longest of bounds is for ever: the sum of it and the time must not overflow to
// one that has passed.
func TestLongestBoundsAreForEver(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	longest := &Limits{Idle: math.MaxInt64, Close: math.MaxInt64, Dial: math.MaxInt64}
	var stands, connects, closes record
	k.clock = k.clock.Add(time.Hour)
	_, _ = k.attach(l, stands.handler(longest))
	_, _ = k.dial(l, connects.handler(longest), unix.EINPROGRESS)
	c, f := k.attach(l, closes.handler(longest))
	f.space = 0
	k.rest(l)
	_, _ = c.Write([]byte("reply")) // there is room
	_ = c.Close(nil)                // it is open
	l.After(math.MaxInt64, func() { t.Error("the timer fired") })
	k.advance(l, 365*24*time.Hour)
	stands.want(t, "Opened")
	connects.want(t)
	closes.want(t, "Opened")
	f.receive(0)
	f.space = 100
	f.changes++
	k.rest(l)
	if got := f.receive(100); string(got) != "reply" {
		t.Errorf("the peer got %q, want %q", got, "reply")
	}
}

// A process can be stopped for an hour inside a callback. What was due meanwhile is
// done once, what is set behind it is not early, and who moves behind it lives on.
func TestClockJumpsInsideARound(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	began := k.clock
	at := make(map[string][]time.Duration)
	note := func(name string) func() {
		return func() { at[name] = append(at[name], k.clock.Sub(began)/time.Second) }
	}
	_, jumps := k.attach(l, &Handler{Data: func(*Conn, []byte) error {
		l.Now()
		k.clock = k.clock.Add(time.Hour + time.Second)
		l.After(10*time.Second, note("set behind"))
		return nil
	}})
	var moves, stands record
	_, f := k.attach(l, moves.handler(&Limits{Idle: time.Minute}))
	_, g := k.attach(l, stands.handler(&Limits{Idle: time.Minute}))
	l.After(10*time.Second, note("set before"))
	l.Every(time.Minute, note("each minute"))
	k.rest(l)
	jumps.send([]byte("x"))
	f.send([]byte("x"))
	k.rest(l)
	g.sendEOF() // what Close waits for
	k.advance(l, 59*time.Second)
	moves.want(t, "Opened", "Data")
	stands.want(t, "Opened", "Closed")
	if !errors.Is(stands.reason, ErrIdle) || f.shut {
		t.Errorf("who stood still: Closed with %v; who moved is closed: %v; want %v, false", stands.reason, f.shut, ErrIdle)
	}
	for name, want := range map[string][]time.Duration{
		"set before":  {3601},
		"each minute": {3601, 3660},
		"set behind":  {3611},
	} {
		if !slices.Equal(at[name], want) {
			t.Errorf("the timer %s fired after %d seconds, want %d", name, at[name], want)
		}
	}
}

//go:build linux

package epoll

import (
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the kernel could not tell yet, because other events filled the batch, has
// come in time all the same.
func TestIdleBehindAFullBatch(t *testing.T) {
	l, k := newFakeLoop(t, &Options{Events: 1})
	var first, second record
	_, f := k.attach(l, first.handler(&Limits{Idle: time.Second}))
	_, g := k.attach(l, second.handler(&Limits{Idle: time.Second}))
	k.rest(l)
	f.send([]byte("x")) // both are there when the Loop wakes
	g.send([]byte("x"))
	k.clock = k.clock.Add(10 * time.Second)
	k.rest(l)
	first.want(t, "Opened", "Data")
	second.want(t, "Opened", "Data")
}

// stall attaches a Conn whose callback does something and takes a time, and has it
// called.
func stall(l *Loop, k *fakeKernel, d time.Duration, during func()) {
	_, slow := k.attach(l, &Handler{Data: func(*Conn, []byte) error {
		during()
		k.clock = k.clock.Add(d)
		return nil
	}})
	k.rest(l)
	slow.send([]byte("x"))
	k.rest(l)
}

// A peer is not idle for as long as a callback of another Conn takes.
func TestIdleBehindASlowCallback(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	_, f := k.attach(l, r.handler(&Limits{Idle: time.Second}))
	k.rest(l)
	stall(l, k, 2*time.Second, func() { f.send([]byte("x")) })
	r.want(t, "Opened", "Data")
}

// Room that the peer made while a callback took long is used before the bound of
// Close is held against it.
func TestCloseBehindASlowCallback(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	f.space = 0
	k.rest(l)
	_, _ = c.Write([]byte("reply"))
	_ = c.Close(nil) // it is open
	k.rest(l)
	stall(l, k, 2*DefaultClose, func() {
		f.space = 100
		f.changes++
	})
	if got := f.receive(100); string(got) != "reply" {
		t.Errorf("the peer got %q, want %q; Closed with %v", got, "reply", r.reason)
	}
}

// So is the answer of one that was dialed.
func TestDialBehindASlowCallback(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	_, f := k.dial(l, r.handler(nil), unix.EINPROGRESS)
	k.rest(l)
	stall(l, k, 2*DefaultDial, f.accepts)
	r.want(t, "Opened")
}

// Bounds are looked at eight times in the shortest of them, however many Conns
// reach theirs at different times.
func TestBoundsAreLookedAtEightTimes(t *testing.T) {
	const conns, bound = 64, 64 * time.Second
	l, k := newFakeLoop(t, nil)
	var files []*fakeFile
	for range conns {
		_, f := k.attach(l, &Handler{Data: func(*Conn, []byte) error { return nil }, Limits: &Limits{Idle: bound}})
		files = append(files, f)
		k.advance(l, bound/conns)
	}
	looks, at := 0, l.overseer.at
	for _, f := range files { // each makes progress just before its bound
		f.send([]byte("x"))
		k.advance(l, bound/conns)
		if now := l.overseer.at; now != at {
			looks, at = looks+1, now
		}
	}
	if looks < 1 || looks > 8 {
		t.Errorf("the Conns were looked at %d times in %v, want 1 to 8", looks, bound)
	}
}

// HighWater and Turn without bound: the cap, which is the sum, has none either.
func TestCapOfUnboundedLimits(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	c, f := k.attach(l, &Handler{Limits: &Limits{HighWater: math.MaxInt, Turn: math.MaxInt, Frame: 3}})
	f.space = 0
	k.rest(l)
	if n, err := c.Write([]byte("reply")); n != 5 || err != nil {
		t.Errorf("Write = %d, %v; want 5, nil", n, err)
	}
}

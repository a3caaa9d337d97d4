//go:build linux

package epoll

import (
	"errors"
	"testing"
	"time"
)

// A Loop that stood still for long makes up for what it missed by one call, and
// keeps the phase.
func TestEveryDoesNotBurstAfterAJump(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	began := k.clock
	var at []time.Duration
	l.Every(10*time.Millisecond, func() { at = append(at, k.clock.Sub(began)) })
	k.advance(l, 20*time.Millisecond)
	k.clock = k.clock.Add(10*time.Second + 3*time.Millisecond)
	k.rest(l)
	k.advance(l, 17*time.Millisecond)
	want := []time.Duration{10, 20, 10_023, 10_030, 10_040}
	if len(at) != len(want) {
		t.Fatalf("called at %v, want %v ms", at, want)
	}
	for i := range want {
		if at[i] != want[i]*time.Millisecond {
			t.Fatalf("called at %v, want %v ms", at, want)
		}
	}
}

// A jump is no reason to close what made progress just before or after it, and
// bounds that passed meanwhile have passed.
func TestBoundsAfterAJump(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var busy, idle record
	_, f := k.attach(l, busy.handler(&Limits{Idle: time.Second}))
	_, g := k.attach(l, idle.handler(&Limits{Idle: time.Second}))
	k.rest(l)
	f.send([]byte("x")) // is there when the Loop wakes, and read before timers fire
	k.clock = k.clock.Add(10 * time.Second)
	k.rest(l)
	g.sendEOF() // what Close waits for
	k.rest(l)
	busy.want(t, "Opened", "Data")
	idle.want(t, "Opened", "Closed")
	if !errors.Is(idle.reason, ErrIdle) {
		t.Errorf("Closed with %v, want %v", idle.reason, ErrIdle)
	}
	k.advance(l, time.Second-1)
	if f.shut {
		t.Error("closed before its bound")
	}
	k.advance(l, time.Second/8+1)
	f.sendEOF()
	k.rest(l)
	busy.want(t, "Opened", "Data", "Closed")
}

// What a callback posts, however much, runs in one further part of a round, in
// order, and a descriptor that becomes ready is served in between.
func TestMillionPostsFromOneCallback(t *testing.T) {
	const posts = 1_000_000
	l, k := newFakeLoop(t, nil)
	fd, f := k.pipeEnd()
	ran, served := 0, -1
	if _, err := l.Add(fd, Readable, func(Events) { served, f.in = ran, nil }); err != nil {
		t.Fatal(err)
	}
	inOrder := true
	l.Defer(func() {
		for i := range posts {
			if err := l.Post(func() { inOrder = inOrder && ran == i; ran++ }); err != nil {
				t.Fatal(err)
			}
		}
		f.send([]byte("x"))
	})
	k.rest(l)
	if ran != posts || !inOrder {
		t.Errorf("%d functions ran, in order: %v; want %d, true", ran, inOrder, posts)
	}
	if served != 0 {
		t.Errorf("the descriptor was served after %d functions, want 0", served)
	}
}

// A function that posts itself for ever keeps nobody from his turn.
func TestEndlessPostsLetOthersRun(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, f := k.pipeEnd()
	posts, defers, timers, served := 0, 0, 0, 0
	var post, later, again func()
	post = func() { posts++; _ = l.Post(post) } // the Loop runs
	later = func() { defers++; l.Defer(later) }
	again = func() { timers++; l.After(0, again) }
	post()
	later()
	again()
	if _, err := l.Add(fd, Readable, func(Events) { served++ }); err != nil {
		t.Fatal(err)
	}
	f.send([]byte("x"))
	posts, defers, timers = 0, 0, 0
	for round := 1; round <= 100; round++ {
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if posts != round || defers != round || timers != round || served != round {
			t.Fatalf("round %d: %d posts, %d deferred, %d timers, %d events", round, posts, defers, timers, served)
		}
	}
}

// An idle Loop asks the kernel for nothing between events, but for the wait.
func TestIdleLoopMakesNoCalls(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	for range 100 {
		k.attach(l, &Handler{Data: echoes, Limits: &Limits{Idle: time.Hour}})
	}
	k.rest(l)
	before, waits := k.total(), k.calls["wait"]
	for range 10 {
		_ = l.Post(func() {}) // the Loop runs
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
	}
	if n := k.calls["wait"] - waits; n != 10 || k.total()-before != 10 {
		t.Errorf("%d calls, %d of them waits, in 10 rounds; want 10, 10", k.total()-before, n)
	}
}

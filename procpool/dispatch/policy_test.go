//go:build linux

package dispatch_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
)

// sent returns how many requests each slot was sent.
func (r *rig) sent() []int64 {
	var all []int64
	for _, s := range r.d.Stats().Slots {
		all = append(all, s.Requests)
	}
	return all
}

func (r *rig) wantSent(want ...int64) {
	r.tb.Helper()
	if got := r.sent(); !slices.Equal(got, want) {
		r.tb.Errorf("slots were sent %d requests, want %d", got, want)
	}
}

func TestPolicyString(t *testing.T) {
	names := []string{"sticky", "keyed", "round-robin", "least-busy", "first-idle", "custom"}
	for i, policy := range append(policies(), dispatch.Policy{}) {
		if want := names[i%len(names)]; policy.String() != want || policy.Ordered() != (want == "sticky" || want == "keyed") {
			t.Errorf("String() = %q, Ordered() = %t; want %q, true of sticky and keyed", policy, policy.Ordered(), want)
		}
	}
}

// Sticky opens a flow where there are the fewest, and keeps it there.
func TestSticky(t *testing.T) {
	r := startRig(t, 4, dispatch.Options{})
	var flows []*dispatch.Flow
	for range 4 * 5 {
		flows = append(flows, r.d.Open(0, 0, nil))
	}
	counts := make([]int, 4)
	for _, f := range flows {
		counts[f.Slot()]++
	}
	if !slices.Equal(counts, []int{5, 5, 5, 5}) {
		t.Errorf("slots have %d flows, want 5 each", counts)
	}
	flows[6].Close()
	flows[6].Close() // which does nothing
	for i, s := range r.d.Stats().Slots {
		if want := int64(5); s.Flows != want && (i != flows[6].Slot() || s.Flows != want-1) {
			t.Errorf("slot %d has %d flows, want %d, or one less where one was closed", i, s.Flows, want)
		}
	}
	if got, want := r.d.Open(0, 0, nil).Slot(), flows[6].Slot(); got != want {
		t.Errorf("Slot() = %d after a flow of slot %d was closed, want that", got, want)
	}
	for i := range 4 {
		r.serve(i)
	}
	r.submit(flows[1], 1, 3, "x")
	want := make([]int64, 4)
	want[flows[1].Slot()] = 3
	r.wantSent(want...)
}

// Keyed has one slot for a key, and spreads keys that follow each other.
func TestKeyed(t *testing.T) {
	r := startRig(t, 4, dispatch.Options{Policy: dispatch.Keyed()})
	const n = 10_000
	counts := make([]int, 4)
	for key := range uint64(n) {
		f, g := r.d.Open(1, key, nil), r.d.Open(2, key, nil)
		if f.Slot() != g.Slot() {
			t.Fatalf("flows with key %d have slots %d and %d, want one", key, f.Slot(), g.Slot())
		}
		counts[f.Slot()]++
		f.Close()
		g.SetKey(key + 1)
		if other := r.d.Open(3, key+1, nil); other.Slot() != g.Slot() {
			t.Fatalf("slot %d after SetKey(%d), want %d", g.Slot(), key+1, other.Slot())
		}
	}
	for slot, got := range counts {
		if got < n/4*9/10 || got > n/4*11/10 {
			t.Errorf("slot %d has %d of %d keys, want about a quarter", slot, got, n)
		}
	}
}

// RoundRobin gives all the same number while they have room, and passes those that
// have none.
func TestRoundRobin(t *testing.T) {
	r := startRig(t, 3, dispatch.Options{Policy: dispatch.RoundRobin(), Window: 4})
	for i := range 3 {
		r.serve(i)
	}
	f := r.d.Open(1, 0, nil)
	if f.Slot() != -1 {
		t.Errorf("Slot() = %d, want -1", f.Slot())
	}
	r.submit(f, 1, 9, "x")
	r.wantSent(3, 3, 3)
	r.workers[0].work()
	r.submit(f, 10, 14, "x")
	r.wantSent(6, 4, 4)
	r.submit(f, 15, 17, "x")
	r.wantSent(7, 4, 4)
	if s := r.d.Stats(); s.Waiting != 2 {
		t.Errorf("Waiting = %d, want 2", s.Waiting)
	}
	r.workers[1].work()
	r.wantSent(7, 6, 4)
}

// LeastBusy gives a request to who has the fewest.
func TestLeastBusy(t *testing.T) {
	r := startRig(t, 3, dispatch.Options{Policy: dispatch.LeastBusy()})
	for i := range 3 {
		r.serve(i)
	}
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 6, "x")
	r.wantSent(2, 2, 2)
	r.workers[1].work()
	r.submit(f, 7, 8, "x")
	r.wantSent(2, 4, 2)
	r.submit(f, 9, 11, "x")
	r.wantSent(3, 5, 3)
}

// FirstIdle gives a request to the first who has none, and waits for that.
func TestFirstIdle(t *testing.T) {
	r := startRig(t, 3, dispatch.Options{Policy: dispatch.FirstIdle()})
	for i := range 3 {
		r.serve(i)
	}
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 2, "x")
	r.wantSent(1, 1, 0)
	r.workers[0].work()
	r.submit(f, 3, 3, "x")
	r.wantSent(2, 1, 0)
	r.submit(f, 4, 6, "x")
	r.wantSent(2, 1, 1)
	r.workers[1].take(all)
	r.workers[1].begin(1)
	r.workers[1].answer(0)
	r.settle()
	r.wantSent(2, 2, 1)
}

// Custom goes where it is told, and leaves the rest to the Dispatcher.
func TestCustom(t *testing.T) {
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Custom(func(f *dispatch.Flow, payload []byte) int {
		return f.State.([]int)[payload[0]]
	})})
	r.serve(0)
	r.serve(1)
	f := r.d.Open(1, 0, []int{1, 0, dispatch.Default, dispatch.Refuse, 2, -3})
	r.submit(f, 1, 5, "\x00")
	r.wantSent(0, 5)
	r.submit(f, 6, 6, "\x01")
	r.wantSent(1, 5)
	r.submit(f, 7, 10, "\x02")
	r.wantSent(3, 7)
	for payload, want := range map[string]error{
		"\x03": dispatch.ErrRefused, "\x04": dispatch.ErrNoWorker, "\x05": dispatch.ErrNoWorker,
	} {
		if err := r.d.Submit(f, dispatch.Request{Payload: []byte(payload)}); !errors.Is(err, want) {
			t.Errorf("Submit(%q) = %v, want %v", payload, err, want)
		}
	}
	if s := r.d.Stats(); s.Submitted != 10 {
		t.Errorf("Submitted = %d, want 10", s.Submitted)
	}
}

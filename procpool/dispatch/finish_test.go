//go:build linux

package dispatch_test

import (
	"errors"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
)

// What waits for a slot without a future is answered, and so is what comes later.
func TestFinish(t *testing.T) {
	for _, policy := range policies()[:5] {
		r := newRig(t, 2, dispatch.Options{Policy: policy})
		f := r.d.Open(1, 0, nil)
		r.submit(f, 1, 2, "")
		r.d.Finish(0)
		r.d.Finish(1)
		r.run()
		r.want("1 (dispatch: no worker)", "2 (dispatch: no worker)")
		if s := r.d.Stats(); s.Unserved != 2 || s.Waiting != 0 {
			t.Errorf("%v: Stats() = %+v; want Unserved 2, Waiting 0", policy, s)
		}
		if err := r.d.Submit(f, dispatch.Request{}); !errors.Is(err, dispatch.ErrNoWorker) {
			t.Errorf("%v: Submit = %v; want %v", policy, err, dispatch.ErrNoWorker)
		}
		r.end()
	}
}

// What the last worker has not begun is answered when that dies.
func TestFinishBeforeDeath(t *testing.T) {
	for _, policy := range policies() {
		if policy.String() == "first-idle" {
			continue // which has nothing wait with a worker
		}
		r := newRig(t, 1, dispatch.Options{Policy: policy})
		w := r.serve(0)
		f := r.d.Open(2, 0, nil)
		r.submit(f, 1, 2, "01234567")
		w.take(all)
		w.begin(1)
		r.d.Finish(0)
		r.run()
		r.want()
		w.die()
		if len(r.got) != 2 || !errors.Is(r.got[0].err, dispatch.ErrLost) || !errors.Is(r.got[1].err, dispatch.ErrNoWorker) {
			t.Errorf("%v: got %v; want %v, %v", policy, r.got, dispatch.ErrLost, dispatch.ErrNoWorker)
		}
		r.end()
	}
}

// A flow that was full may submit again, and learns that there is no worker.
func TestFinishHasRoom(t *testing.T) {
	full := 0
	r := startRig(t, 1, dispatch.Options{
		QueueBytes: 100,
		Full:       func(*dispatch.Flow) { full++ },
		Room:       func(*dispatch.Flow) { full-- },
	})
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, "")
	if full != 1 || !f.Full() {
		t.Errorf("Full() = %t, told %d times; want true, once", f.Full(), full)
	}
	r.d.Finish(0)
	r.run()
	if full != 0 || f.Full() {
		t.Errorf("Full() = %t, told %d times more than Room; want false, 0", f.Full(), full)
	}
}

// Sticky puts no flow into a slot that has no future while there is another one.
func TestStickyPassesFinishedSlots(t *testing.T) {
	r := startRig(t, 3, dispatch.Options{})
	r.d.Finish(0)
	r.d.Finish(2)
	r.run()
	for range 5 {
		if n := r.d.Open(0, 0, nil).Slot(); n != 1 {
			t.Errorf("Slot() = %d; want 1", n)
		}
	}
}

// What Custom leaves to the Dispatcher goes to another slot if its own has no future.
func TestFinishCustomDefault(t *testing.T) {
	to := dispatch.Default
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Custom(func(*dispatch.Flow, []byte) int { return to })})
	w := r.serve(0)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, "any")
	to = 0
	r.submit(f, 2, 2, "first")
	r.d.Finish(0)
	w.die()
	r.serve(1).work()
	r.want("2 (dispatch: no worker)", "1 any")
}

// The order of what Custom gives to one slot stays when a worker takes over there,
// also if there was something for another slot meanwhile.
func TestCustomOrderOverReload(t *testing.T) {
	to := 0
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Custom(func(*dispatch.Flow, []byte) int { return to })})
	old, other := r.serve(0), r.serve(1)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, "a")
	to = 1
	r.submit(f, 2, 2, "b")
	now := r.serve(0)
	to = 0
	r.submit(f, 3, 3, "a")
	now.work()
	r.want()
	old.work()
	now.work()
	r.want("1 a", "3 a")
	other.work()
	r.want("2 b")
}

// What Custom gives to one slot does not wait for another slot.
func TestCustomWaitsForItsSlotOnly(t *testing.T) {
	to := 1
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Custom(func(*dispatch.Flow, []byte) int { return to })})
	old, other := r.serve(0), r.serve(1)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, "b")
	to = 0
	r.submit(f, 2, 2, "a")
	old.work()
	r.want("2 a")
	now := r.serve(0)
	r.submit(f, 3, 3, "a")
	now.work()
	r.want("3 a")
	other.work()
	r.want("1 b")
}

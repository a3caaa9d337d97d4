//go:build linux

package dispatch_test

import (
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
)

// keys returns a key of each of two slots.
func (r *rig) keys() (keys [2]uint64) {
	for key := range uint64(100) {
		f := r.d.Open(0, key, nil)
		keys[f.Slot()] = key
		f.Close()
	}
	return keys
}

// A request under a new key waits until one before is answered, and no longer.
func TestSetKeyWaitsForTheWorker(t *testing.T) {
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Keyed()})
	keys := r.keys()
	first, second := r.serve(0), r.serve(1)
	f := r.d.Open(1, keys[0], nil)
	r.submit(f, 1, 1, "one")
	f.SetKey(keys[1])
	r.submit(f, 2, 2, "two")
	second.work()
	r.want()
	first.work()
	second.work()
	r.want("1 one", "2 two")
}

// A request under a new key waits also for those that no worker was sent.
func TestSetKeyWaitsForTheQueue(t *testing.T) {
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Keyed()})
	keys := r.keys()
	second := r.serve(1)
	f := r.d.Open(1, keys[0], nil)
	r.submit(f, 1, 1, "one")
	f.SetKey(keys[1])
	r.submit(f, 2, 2, "two")
	f.SetKey(keys[0])
	r.submit(f, 3, 3, "three")
	second.work()
	r.want()
	first := r.serve(0)
	first.work()
	r.want("1 one")
	second.work()
	r.want("2 two")
	first.work()
	r.want("3 three")
}

// What a worker had of an old key is sent again before what waits under the new one.
func TestSetKeyAndDeath(t *testing.T) {
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Keyed()})
	keys := r.keys()
	first, second := r.serve(0), r.serve(1)
	f := r.d.Open(1, keys[0], nil)
	r.submit(f, 1, 2, "old")
	f.SetKey(keys[1])
	r.submit(f, 3, 4, "new")
	first.die()
	second.work()
	r.want()
	first = r.serve(0)
	first.work()
	second.work()
	r.want("1 old", "2 old", "3 new", "4 new")
}

// A worker that will not come any more is waited for no longer.
func TestSetKeyAndFinish(t *testing.T) {
	r := startRig(t, 2, dispatch.Options{Policy: dispatch.Keyed()})
	keys := r.keys()
	second := r.serve(1)
	f := r.d.Open(1, keys[0], nil)
	r.submit(f, 1, 1, "old")
	f.SetKey(keys[1])
	r.submit(f, 2, 2, "new")
	r.d.Finish(0)
	second.work()
	r.want("1 (dispatch: no worker)", "2 new")
}

// A flow that is full for what waits in its slot has room in another one.
func TestSetKeyHasRoom(t *testing.T) {
	var told []string
	r := startRig(t, 2, dispatch.Options{
		Policy: dispatch.Keyed(), QueueBytes: 1000,
		Full: func(*dispatch.Flow) { told = append(told, "full") },
		Room: func(*dispatch.Flow) { told = append(told, "room") },
	})
	keys := r.keys()
	other, f := r.d.Open(1, keys[0], nil), r.d.Open(2, keys[0], nil)
	r.submit(other, 1, 1, string(make([]byte, 2000)))
	if !f.Full() {
		t.Error("Full() = false while the queue has more than QueueBytes; want true")
	}
	r.round(func() { f.SetKey(keys[1]) })
	if f.Full() || len(told) != 3 || told[2] != "room" {
		t.Errorf("Full() = %t, after %q; want false, and room at last", f.Full(), told)
	}
	r.round(func() { f.SetKey(keys[0]) })
	r.submit(f, 2, 2, "")
	if !f.Full() {
		t.Error("Full() = false for a flow that submits to a full queue; want true")
	}
	r.serve(0).work()
	if f.Full() || other.Full() {
		t.Error("Full() = true though nothing waits; want false")
	}
}

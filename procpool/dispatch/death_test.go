//go:build linux

package dispatch_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// At each death what was answered counts, what had begun is lost or sent again, and
// what had not is sent again, in order and before everything else.
func TestDeath(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{Window: 4})
	w := r.serve(0)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 6, "x")
	w.take(all)
	w.begin(3)
	w.answer(0)
	w.die()
	r.want("1 x", "2 (request lost)", "3 (request lost)")
	r.submit(f, 7, 7, "x")
	r.serve(0).work()
	r.want("4 x", "5 x", "6 x", "7 x")
	s := r.d.Stats()
	if s.Lost != 2 || s.Resent != 1 || s.Redelivered != 0 || s.Slots[0].Requests != 4+4 {
		t.Errorf("Stats() = %+v; want Lost 2, Resent 1, Redelivered 0, 8 requests sent", s)
	}
}

// What may be carried out twice is sent once more, and then no more. What is lost is
// reported in the order of the flow.
func TestRedeliver(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	f := r.d.Open(1, 0, nil)
	sizes := []int{100_000, 0, 200_000, 300_000}
	r.round(func() {
		for i, n := range sizes {
			if err := r.d.Submit(f, dispatch.Request{Payload: make([]byte, n), Cookie: uint64(i), Redeliver: i%2 == 0}); err != nil {
				t.Errorf("Submit(%d) = %v; want nil", i, err)
			}
		}
	})
	first := r.serve(0)
	first.takeAll()
	first.begin(2)
	first.die()
	r.want()
	if s := r.d.Stats(); s.Redelivered != 1 || s.Resent != 2 || s.Waiting != 4 {
		t.Errorf("Stats() = %+v; want Redelivered 1, Resent 2, Waiting 4", s)
	}
	second := r.serve(0)
	second.takeAll()
	second.begin(1)
	second.die()
	r.want("0 (request lost)", "1 (request lost)")
	r.serve(0).work()
	if len(r.got) != 2 || len(r.got[0].text) != sizes[2] || len(r.got[1].text) != sizes[3] {
		t.Errorf("got %d answers; want 2, of %d bytes and %d", len(r.got), sizes[2], sizes[3])
	}
}

// A reply of which a part is missing is none.
func TestDeathInsideReply(t *testing.T) {
	reply := lane.Append(nil, lane.Header{Kind: lane.KindReply}, make([]byte, 2*lane.Piece))
	for cut := 1; cut < len(reply); cut += 9973 {
		r := newRig(t, 1, dispatch.Options{})
		w := r.serve(0)
		r.submit(r.d.Open(1, 0, nil), 1, 1, "x")
		w.take(all)
		w.begin(1)
		w.send(reply[:cut])
		w.die()
		r.want("1 (request lost)")
		r.end()
	}
}

// The order of a flow stays while one worker is replaced by another, and dies.
func TestOrderOverReloadAndDeath(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	old := r.serve(0)
	f, g := r.d.Open(1, 0, nil), r.d.Open(2, 0, nil)
	r.submit(f, 1, 2, "f")
	now := r.serve(0)
	r.submit(f, 3, 3, "f")
	r.submit(g, 4, 4, "g")
	drained := false
	old.Drain(func() { drained = true })
	now.work()
	r.want()
	old.die()
	if !drained {
		t.Error("the function of Drain was not called when the worker had died")
	}
	now.work()
	r.want("1 f", "2 f", "3 f", "4 g")
	if len(old.broken) > 0 {
		t.Errorf("Broken(%v) of a worker that has died; want no call", old.broken)
	}
}

// What Full does while what a worker had is taken back harms nothing: requests that it
// submits come after, and the Dispatcher may be closed.
func TestFullAtDeath(t *testing.T) {
	var r *rig
	does := func(*dispatch.Flow) {}
	r = startRig(t, 1, dispatch.Options{QueueBytes: 1000, Full: func(f *dispatch.Flow) { does(f) }})
	does = func(f *dispatch.Flow) { _ = r.d.Submit(f, dispatch.Request{Payload: []byte("late"), Cookie: 3}) }
	f := r.d.Open(1, 0, nil)
	long := strings.Repeat("x", 100)
	w := r.serve(0)
	r.submit(f, 1, 1, long)
	now := r.serve(0)
	w.die()
	now.work()
	r.want("1 "+long, "3 late")

	r.submit(f, 4, 5, long)
	does = func(*dispatch.Flow) { r.d.Close() }
	now.die()
	r.want("4 (dispatch: closed)", "5 (dispatch: closed)")
	r.balance()
}

// A request that is lost is reported after those before it that are sent again, and
// counts as pending until then: with another death, too.
func TestLossInOrder(t *testing.T) {
	const lost, stopped = "2 (request lost)", "(dispatch: closed)"
	for _, policy := range []dispatch.Policy{
		dispatch.Sticky(), dispatch.Keyed(), dispatch.Custom(func(*dispatch.Flow, []byte) int { return 0 }),
	} {
		for name, test := range map[string]struct {
			then func(r *rig, f *dispatch.Flow)
			want []string
		}{
			"success": {func(r *rig, _ *dispatch.Flow) { r.serve(0).work() }, []string{"1 x", lost, "3 x"}},
			"death": {func(r *rig, _ *dispatch.Flow) {
				w := r.serve(0)
				w.takeAll()
				w.die()
				r.serve(0).work()
			}, []string{"1 x", lost, "3 x"}},
			"begun": {func(r *rig, _ *dispatch.Flow) {
				w := r.serve(0)
				w.takeAll()
				w.begin(1)
				w.die()
				r.serve(0).work()
			}, []string{"1 (request lost)", lost, "3 x"}},
			"close":   {func(r *rig, _ *dispatch.Flow) { r.round(r.d.Close) }, []string{"1 " + stopped, lost, "3 " + stopped}},
			"finish":  {func(r *rig, _ *dispatch.Flow) { r.d.Finish(0); r.run() }, []string{"1 (dispatch: no worker)", lost, "3 (dispatch: no worker)"}},
			"discard": {func(r *rig, f *dispatch.Flow) { f.Discard(); r.serve(0).work() }, nil},
		} {
			t.Run(policy.String()+"/"+name, func(t *testing.T) {
				r := startRig(t, 1, dispatch.Options{Policy: policy})
				f := r.d.Open(1, 0, nil)
				w := r.serve(0)
				r.round(func() {
					for i := range uint64(3) {
						if err := r.d.Submit(f, dispatch.Request{Payload: []byte("x"), Cookie: i + 1, Redeliver: i == 0}); err != nil {
							t.Errorf("Submit = %v; want nil", err)
						}
					}
				})
				w.take(all)
				w.begin(2)
				w.die()
				if r.want(); f.Pending() != 3 {
					t.Errorf("Pending() = %d; want 3", f.Pending())
				}
				test.then(r, f)
				r.want(test.want...)
			})
		}
	}
}

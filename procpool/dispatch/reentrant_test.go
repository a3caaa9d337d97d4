//go:build linux

package dispatch_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// What a function of Options or of a Worker calls may be anything: each request has one
// outcome all the same, whichever of them closes the Dispatcher, and when.
func TestCloseWithin(t *testing.T) {
	const n = 12
	for _, where := range []string{"Answered", "Full", "Room", "Called", "Broken", "Halt", "lost"} {
		t.Run(where, func(t *testing.T) {
			var r *rig
			outcomes := make([]int, n)
			here := func(name string) {
				if name == where {
					r.d.Close()
				}
			}
			r = startRig(t, 1, dispatch.Options{
				Window: 4, QueueBytes: 700,
				Answered: func(a dispatch.Answer) {
					outcomes[a.Cookie]++
					if errors.Is(a.Err, dispatch.ErrLost) {
						here("lost")
					}
					here("Answered")
				},
				Full:   func(*dispatch.Flow) { here("Full") },
				Room:   func(*dispatch.Flow) { here("Room") },
				Called: func(*dispatch.Call) { here("Called") },
			})
			w := r.serve(0)
			w.breaks = func() { here("Broken") }
			f := r.d.Open(1, 0, nil)
			taken := 0
			r.round(func() {
				for i := range uint64(n) {
					if err := r.d.Submit(f, dispatch.Request{Payload: []byte("x"), Cookie: i}); err == nil {
						taken++
					}
				}
			})
			w.take(all)
			w.begin(3)
			if len(w.open) > 0 {
				w.send(slices.Concat(reply(0, "x"), reply(1, "x"), lane.Append(nil, lane.Header{Kind: lane.KindCall}, nil)))
			}
			r.settle()
			w.Halt(func() { here("Halt") })
			r.run()
			if where == "Broken" {
				w.send([]byte("this is no record, but text that is long enough for one"))
				r.settle()
			}
			w.die()
			r.serve(0).work()
			r.balance()
			done := 0
			for i, got := range outcomes {
				if done += got; got > 1 {
					t.Errorf("request %d has %d outcomes; want one", i, got)
				}
			}
			if done != taken {
				t.Errorf("%d outcomes; want %d", done, taken)
			}
		})
	}
}

// Who submits the next request when one is answered needs nothing else, with workers
// that come and go.
func TestSubmitWithin(t *testing.T) {
	for _, policy := range policies()[:5] {
		var r *rig
		var flow *dispatch.Flow
		var order []uint64
		r = newRig(t, 1, dispatch.Options{Policy: policy, Window: 2, Answered: func(a dispatch.Answer) {
			order = append(order, a.Cookie)
			if next := a.Cookie + 3; next < 60 {
				if err := r.d.Submit(flow, dispatch.Request{Payload: a.Payload, Cookie: next}); err != nil {
					t.Errorf("Submit = %v; want nil", err)
				}
			}
		}})
		flow = r.d.Open(1, 0, nil)
		r.submit(flow, 0, 2, "x")
		for i := range 10 {
			w := r.serve(0)
			for range 3 {
				w.takeAll()
				w.begin(1 + i%2)
				for len(w.open) > 0 {
					w.answer(0)
				}
			}
			w.begin(i % 2)
			w.die()
		}
		r.serve(0).work()
		if len(order) != 60 || policy.Ordered() && !slices.IsSorted(order) {
			t.Errorf("%v: answers to %d, want 60 in order", policy, order)
		}
		r.end()
	}
}

// Broken tells what is wrong, and is called from within a round that may go on.
func TestBrokenEnds(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	if err := w.end.Close(); err != nil {
		t.Error(err)
	}
	r.submit(r.d.Open(1, 0, nil), 1, 1, "x") // which the kernel refuses
	r.settle()
	if len(w.broken) != 1 || !errors.Is(w.broken[0], io.EOF) {
		t.Errorf("Broken(%v), want one call, with %v", w.broken, io.EOF)
	}
	r.workers = nil
	w.Exited()
	r.serve(0).work()
	r.want("1 x")
}

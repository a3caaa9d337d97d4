//go:build linux

package dispatch_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds/leaktest"
)

// wantUnanswered checks how many requests a slot has.
func (r *rig) wantUnanswered(slot int, want int64) {
	r.tb.Helper()
	if got := r.d.Stats().Slots[slot].Unanswered; got != want {
		r.tb.Errorf("slot %d has %d unanswered requests, want %d", slot, got, want)
	}
}

// A worker has no more requests than its window, and no more bytes but for one.
func TestWindow(t *testing.T) {
	for name, test := range map[string]struct {
		o    dispatch.Options
		size int
		want int64
	}{
		"requests":             {dispatch.Options{Window: 3}, 0, 3},
		"bytes":                {dispatch.Options{WindowBytes: 1000}, 36, 10},
		"a byte more":          {dispatch.Options{WindowBytes: 1001}, 36, 11},
		"one larger":           {dispatch.Options{WindowBytes: 100}, 1000, 1},
		"requests by default":  {dispatch.Options{}, 0, dispatch.DefaultWindow},
		"bytes by default":     {dispatch.Options{Window: 1 << 20}, 1<<10 - 64, dispatch.DefaultWindowBytes >> 10},
		"one of the whole Max": {dispatch.Options{WindowBytes: 1, Max: 1 << 20, QueueBytes: 1 << 30}, 1 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRig(t, 1, test.o)
			w := r.serve(0)
			r.submit(r.d.Open(1, 0, nil), 1, int(test.want)+5, string(make([]byte, test.size)))
			r.wantUnanswered(0, test.want)
			w.takeAll()
			if int64(len(w.waits)) != test.want {
				t.Errorf("the worker has %d requests, want %d", len(w.waits), test.want)
			}
			w.work()
			r.wantUnanswered(0, 0)
		})
	}
}

// Submit without Full says itself that there is no room.
func TestQueueWithoutFull(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{QueueBytes: 1000})
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, string(make([]byte, 2000))) // one may be larger
	if err := r.d.Submit(f, dispatch.Request{}); !errors.Is(err, dispatch.ErrFull) {
		t.Errorf("Submit = %v, want %v", err, dispatch.ErrFull)
	}
	w := r.serve(0)
	w.work()
	w.die()
	r.submit(f, 2, 11, string(make([]byte, 36)))
	if err := r.d.Submit(f, dispatch.Request{}); !errors.Is(err, dispatch.ErrFull) || f.Full() || f.Pending() != 10 {
		t.Errorf("Submit = %v, Full() = %t, Pending() = %d; want %v, false, 10", err, f.Full(), f.Pending(), dispatch.ErrFull)
	}
}

// A flow is told that it is full for its own share of the queue, all are for the whole,
// and each is told when it has room again.
func TestFullAndRoom(t *testing.T) {
	var told []string
	r := startRig(t, 1, dispatch.Options{
		QueueBytes: 16_000, Max: 20_000,
		Full: func(f *dispatch.Flow) { told = append(told, fmt.Sprint("full ", f.ID)) },
		Room: func(f *dispatch.Flow) { told = append(told, fmt.Sprint("room ", f.ID)) },
	})
	want := func(want ...string) {
		t.Helper()
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("told %q, want %q", told, want)
		}
		told = nil
	}
	f, g, h := r.d.Open(1, 0, nil), r.d.Open(2, 0, nil), r.d.Open(3, 0, nil)
	r.submit(f, 1, 10, string(make([]byte, 36))) // 1000 bytes, just its share
	want()
	r.submit(f, 11, 11, "")
	want("full 1")
	r.submit(g, 12, 12, "")
	want()
	r.submit(g, 13, 13, string(make([]byte, 16_000)))
	want("full 2", "full 3")
	if !f.Full() || !g.Full() || !h.Full() {
		t.Error("Full() = false of a flow, want true of all")
	}
	late := r.d.Open(4, 0, nil)
	r.submit(late, 14, 14, "")
	want("full 4")
	h.Close()
	for i := 15; ; i++ {
		if err := r.d.Submit(f, dispatch.Request{Payload: make([]byte, 936)}); errors.Is(err, dispatch.ErrFull) {
			break // the limit of those who do not stop
		}
		if i > 60 {
			t.Fatalf("%d requests were taken, want an end", i)
		}
	}
	r.serve(0).work()
	if len(told) != 3 || f.Full() || g.Full() || late.Full() {
		t.Errorf("told %q, want that 1, 2 and 4 have room", told)
	}
}

// What Full does with the flows harms nobody else.
func TestFullCloses(t *testing.T) {
	var flows []*dispatch.Flow
	full := make(map[uint64]bool)
	r := startRig(t, 1, dispatch.Options{QueueBytes: 1000, Full: func(f *dispatch.Flow) {
		full[f.ID] = true
		if f.ID%2 == 1 {
			f.Discard()
		}
	}})
	for i := range 8 {
		flows = append(flows, r.d.Open(uint64(i), 0, nil))
	}
	r.submit(flows[0], 1, 1, string(make([]byte, 1000)))
	if len(full) != len(flows) {
		t.Errorf("Full was called for %v, want all of %d", full, len(flows))
	}
}

// What Submit does not take, and why.
func TestSubmitErrors(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{Max: 100})
	f, closed := r.d.Open(1, 0, nil), r.d.Open(2, 0, nil)
	closed.Close()
	check := func(f *dispatch.Flow, n int, want error) {
		t.Helper()
		if err := r.d.Submit(f, dispatch.Request{Payload: make([]byte, n)}); !errors.Is(err, want) {
			t.Errorf("Submit = %v, want %v", err, want)
		}
	}
	check(f, 101, lane.ErrTooLong)
	check(closed, 1, dispatch.ErrStopped)
	r.submit(f, 1, 2, "")
	w := r.serve(0)
	r.submit(f, 3, 3, "")
	w.take(all)
	r.round(r.d.Close)
	r.want("1 (dispatch: closed)", "2 (dispatch: closed)", "3 (dispatch: closed)")
	r.round(r.d.Close) // which does nothing
	check(f, 1, dispatch.ErrStopped)
	if s := r.d.Stats(); s.Submitted != 3 || s.Unserved != 3 || len(w.broken) != 0 {
		t.Errorf("Stats() = %+v, Broken(%v); want 3 submitted, unserved, and no call", s, w.broken)
	}
	r.serve(0)
	check(f, 1, dispatch.ErrStopped)
}

// What a handler says of a request is an error of the answer.
func TestFailure(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	r.submit(r.d.Open(1, 0, nil), 1, 1, "x")
	w.takeAll()
	w.send(lane.Append(nil, lane.Header{Kind: lane.KindFailure}, []byte("no such thing")))
	r.settle()
	r.want("1 (no such thing)")
	if s := r.d.Stats(); s.Failed != 1 || s.Answered != 0 {
		t.Errorf("Stats() = %+v, want Failed 1, Answered 0", s)
	}
}

// Options that make no sense are refused.
func TestNewErrors(t *testing.T) {
	leaktest.Check(t)
	answered := func(dispatch.Answer) {}
	for name, test := range map[string]struct {
		slots int
		o     dispatch.Options
	}{
		"no slots":             {0, dispatch.Options{Answered: answered}},
		"no Answered":          {1, dispatch.Options{}},
		"negative Window":      {1, dispatch.Options{Answered: answered, Window: -1}},
		"negative WindowBytes": {1, dispatch.Options{Answered: answered, WindowBytes: -1}},
		"negative QueueBytes":  {1, dispatch.Options{Answered: answered, QueueBytes: -1}},
		"negative Max":         {1, dispatch.Options{Answered: answered, Max: -1}},
		"Max of 1 GiB":         {1, dispatch.Options{Answered: answered, Max: 1<<30 + 1}},
	} {
		if d, err := dispatch.New(test.slots, new(rounds), &test.o); err == nil || d != nil {
			t.Errorf("%s: New = %v, %v; want nil, an error", name, d, err)
		}
	}
}

// Of a worker that reads nothing no more is kept than the documentation says, also
// over deaths.
func TestMemoryIsBounded(t *testing.T) {
	const (
		window, queue, longest = 50_000, 100_000, 30_000
		most                   = window + longest + 2*queue + longest
	)
	for _, full := range []func(*dispatch.Flow){nil, func(*dispatch.Flow) {}} {
		r := startRig(t, 1, dispatch.Options{WindowBytes: window, QueueBytes: queue, Max: longest, Full: full})
		w := r.serve(0)
		var flows []*dispatch.Flow
		for i := range 10 {
			flows = append(flows, r.d.Open(uint64(i), 0, nil))
		}
		for range 4 {
			for i := range 2000 {
				n := i * 7919 % longest
				_ = r.d.Submit(flows[i%10], dispatch.Request{Payload: make([]byte, n), Cookie: uint64(n)})
			}
			w.die()
			w = r.serve(0)
		}
		w.work()
		kept := 0
		for _, o := range r.got {
			kept += int(o.cookie) + 64
		}
		if n := int(r.d.Stats().Submitted); len(r.got) != n || kept > most || kept < queue {
			t.Errorf("kept %d bytes of %d requests, %d were answered; want up to %d bytes", kept, n, len(r.got), most)
		}
	}
}

//go:build linux

package dispatch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// call has a worker make a call.
func (w *worker) call(id, tag uint64, payload string) {
	w.send(lane.Append(nil, lane.Header{Kind: lane.KindCall, ID: id, Tag: tag}, []byte(payload)))
}

// wantReturns checks what a worker has got for its calls since the last time.
func (w *worker) wantReturns(want ...string) {
	w.r.tb.Helper()
	w.takeAll()
	var got []string
	for _, m := range w.returns {
		name := "return"
		if m.Kind == lane.KindRefusal {
			name = "refusal"
		}
		got = append(got, fmt.Sprintf("%s of %d: %d %.20s", name, m.ID, m.Tag, m.payload))
	}
	w.returns = nil
	if !slices.Equal(got, want) {
		w.r.tb.Errorf("the worker got %q, want %q", got, want)
	}
}

// Calls are answered at once or in a later round, each once.
func TestCall(t *testing.T) {
	var calls []*dispatch.Call
	r := startRig(t, 2, dispatch.Options{Called: func(c *dispatch.Call) {
		switch string(c.Payload) {
		case "now":
			c.Return([]byte("done"))
			c.Return([]byte("again"))
		case "no":
			c.Refuse(errors.New("no"))
			c.Return(nil)
		case "code":
			c.Refuse(fmt.Errorf("so %w", &lane.RefusedError{Code: 42, Text: "there"}))
		default:
			calls = append(calls, c)
		}
		if c.Slot != 1 {
			t.Errorf("Slot = %d, want 1", c.Slot)
		}
	}})
	w := r.serve(1)
	w.call(5, 7, "now")
	w.call(6, 8, "no")
	w.call(7, 9, "code")
	w.wantReturns("return of 5: 7 done", "refusal of 6: 0 no", "refusal of 7: 42 so there")
	w.call(8, 10, strings.Repeat("later", 100_000))
	w.call(9, 11, "later")
	w.wantReturns()
	r.round(func() {
		calls[1].Return([]byte(strings.Repeat("y", 200_000)))
		calls[0].Return([]byte("x"))
	})
	w.wantReturns("return of 9: 11 "+strings.Repeat("y", 20), "return of 8: 10 x")
	r.round(func() { calls[0].Refuse(errors.New("twice")) })
	w.wantReturns()
	if s := r.d.Stats(); s.Calls != 5 {
		t.Errorf("Calls = %d, want 5", s.Calls)
	}
}

// What is longer than Max would break the lane at its other end.
func TestReturnTooLong(t *testing.T) {
	const limit = 60
	long := strings.Repeat("long ", 100)
	r := startRig(t, 1, dispatch.Options{Max: limit, Called: func(c *dispatch.Call) {
		switch c.Tag {
		case 0:
			c.Return([]byte(long[:limit]))
		case 1:
			c.Return([]byte(long[:limit+1]))
		case 2:
			c.Refuse(errors.New(long))
		}
	}})
	w := r.serve(0)
	w.parts.Max = limit
	for id := range uint64(3) {
		w.call(id, id, "")
	}
	w.wantReturns("return of 0: 0 long long long long ", "refusal of 1: 0 lane: message too lo", "refusal of 2: 0 long long long long ")
}

// Where nobody takes calls they are refused.
func TestCallRefused(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	w.call(1, 2, "")
	w.wantReturns("refusal of 1: 0 nobody takes calls h")
}

// The answer to a worker that has died goes nowhere.
func TestCallOfTheDead(t *testing.T) {
	var calls []*dispatch.Call
	r := startRig(t, 1, dispatch.Options{Called: func(c *dispatch.Call) { calls = append(calls, c) }})
	w := r.serve(0)
	w.call(1, 0, "")
	w.call(2, 0, "")
	r.settle()
	w.call(3, 0, "") // which is read when it is dead
	w.die()
	w = r.serve(0)
	for _, c := range calls {
		r.round(func() { c.Return(nil) })
	}
	w.wantReturns()
	if len(calls) != 3 {
		t.Errorf("%d calls, want 3", len(calls))
	}
}

// A drain waits for answers, and then for the returns of calls.
func TestDrainWaits(t *testing.T) {
	var calls []*dispatch.Call
	var told []string
	r := startRig(t, 1, dispatch.Options{Called: func(c *dispatch.Call) { calls = append(calls, c) }})
	w := r.serve(0)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 1, 1, "x")
	w.call(1, 0, "")
	r.settle()
	w.Halt(func() { told = append(told, "halted") })
	w.Drain(func() { told = append(told, "drained") })
	w.Ready() // which is too late
	r.run()
	r.submit(f, 2, 2, "x")
	if w.takeAll(); len(told) > 0 || len(w.waits) != 1 {
		t.Errorf("told %q, %d requests; want nothing, 1", told, len(w.waits))
	}
	w.work()
	if len(told) != 1 || told[0] != "halted" || w.nothing {
		t.Errorf("told %q, and the worker %t; want halted, false", told, w.nothing)
	}
	w.call(2, 0, "") // calls are still possible
	r.settle()
	for _, c := range calls {
		r.round(func() { c.Return(nil) })
	}
	w.wantReturns("return of 1: 0 ", "return of 2: 0 ")
	if len(told) != 2 || !w.nothing {
		t.Errorf("told %q, and the worker %t; want halted, drained, true", told, w.nothing)
	}
	w.die()
	if len(w.broken) > 0 {
		t.Errorf("Broken(%v), want no call", w.broken)
	}
	r.want("1 x")
	w = r.serve(0)
	w.work()
	w.Drain(nil)
	w.work()
	if !w.nothing {
		t.Error("the worker was not told that nothing follows")
	}
}

// An answer to what was a return is none to a request.
func TestReplyToReturn(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{Called: func(c *dispatch.Call) { c.Return(nil) }})
	w := r.serve(0)
	r.submit(r.d.Open(1, 0, nil), 1, 1, "x")
	w.call(0, 0, "")
	w.takeAll()
	w.send(reply(1, "x"))
	r.settle()
	if len(w.broken) != 1 || !errors.Is(w.broken[0], lane.ErrCorrupt) {
		t.Errorf("Broken(%v), want one call, with %v", w.broken, lane.ErrCorrupt)
	}
}

// No more than so many calls of a worker may be without a return.
func TestTooManyCalls(t *testing.T) {
	const limit = 1 << 16
	var calls []*dispatch.Call
	r := startRig(t, 1, dispatch.Options{Called: func(c *dispatch.Call) { calls = append(calls, c) }})
	w := r.serve(0)
	var p []byte
	for id := range uint64(limit + 1) {
		p = lane.Append(p, lane.Header{Kind: lane.KindCall, ID: id}, nil)
	}
	w.send(p)
	w.wantReturns("refusal of 65536: 0 too many calls")
	r.round(func() { calls[0].Return(nil) })
	w.call(limit+1, 0, "")
	w.wantReturns("return of 0: 0 ")
	if len(calls) != limit+1 {
		t.Errorf("%d calls were taken, want %d", len(calls), limit+1)
	}
}

// A worker that calls and calls, and reads nothing, is of no use.
func TestCallsWithoutReading(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	var p []byte
	for id := range uint64(1000) {
		p = lane.Append(p, lane.Header{Kind: lane.KindCall, ID: id}, nil)
	}
	for range 1000 {
		if w.send(p); len(w.broken) > 0 {
			break
		}
		r.settle()
	}
	if len(w.broken) != 1 || !errors.Is(w.broken[0], lane.ErrCorrupt) {
		t.Errorf("Broken(%v), want one call, with %v", w.broken, lane.ErrCorrupt)
	}
}

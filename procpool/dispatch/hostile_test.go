//go:build linux

package dispatch_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// reply returns the records of a reply.
func reply(id uint64, payload string) []byte {
	return lane.Append(nil, lane.Header{Kind: lane.KindReply, ID: id}, []byte(payload))
}

// part returns a record of a reply to request 0 that another one follows.
func part(payload string) []byte {
	return append(lane.AppendHeader(nil, lane.Header{Kind: lane.KindReply, More: true}, len(payload)), payload...)
}

// hostile returns what no worker may send that has the requests 0 and 1, and of request
// 2 not all.
func hostile() map[string][]byte {
	record := func(kind lane.Kind) []byte { return lane.Append(nil, lane.Header{Kind: kind}, nil) }
	patched := func(at int, b byte) []byte {
		p := reply(0, "")
		p[at] = b
		return p
	}
	join := func(ps ...[]byte) []byte {
		var all []byte
		for _, p := range ps {
			all = append(all, p...)
		}
		return all
	}
	return map[string][]byte{
		"twice":                   join(reply(0, "x"), reply(0, "x")),
		"never sent":              reply(99, "x"),
		"id from the end":         reply(1<<64-1, "x"),
		"not sent yet":            reply(2, "x"),
		"a failure never sent":    lane.Append(nil, lane.Header{Kind: lane.KindFailure, ID: 3}, nil),
		"a request":               record(lane.KindRequest),
		"an end":                  record(lane.KindEnd),
		"a return":                record(lane.KindReturn),
		"a refusal":               record(lane.KindRefusal),
		"kind 0":                  record(0),
		"unknown kind":            record(lane.KindCall + 1),
		"unknown flag":            patched(5, 2),
		"unused byte":             patched(6, 1),
		"record without header":   patched(0, 19)[:23],
		"record of all there is":  {0xff, 0xff, 0xff, 0xff, 0},
		"record of 64 KiB more":   patched(2, 2),
		"longer than Max":         reply(0, strings.Repeat("x", 1<<20+1)),
		"a call longer than Max":  lane.Append(nil, lane.Header{Kind: lane.KindCall}, make([]byte, 1<<20+1)),
		"inside another reply":    join(part("x"), reply(1, "x")),
		"a failure inside":        join(part("x"), lane.Append(nil, lane.Header{Kind: lane.KindFailure, ID: 0}, nil)),
		"a call inside":           join(part("x"), record(lane.KindCall)),
		"nothing, and more":       part(""),
		"text instead of records": []byte(strings.Repeat("HTTP/1.1 200 OK\r\n", 10)),
	}
}

// What does not belong on a lane breaks that lane, and nothing else.
func TestHostile(t *testing.T) {
	for name, bytes := range hostile() {
		t.Run(name, func(t *testing.T) {
			r := startRig(t, 2, dispatch.Options{Max: 1 << 20})
			f, g := r.d.Open(1, 0, nil), r.d.Open(2, 0, nil)
			bad, good := r.serve(f.Slot()), r.serve(g.Slot())
			r.submit(f, 0, 1, "f")
			r.submit(f, 2, 2, strings.Repeat("f", 1<<20))
			r.submit(g, 3, 3, "g")
			bad.take(100)
			if len(bad.waits) != 2 {
				t.Fatalf("the worker has %d requests, want 2", len(bad.waits))
			}
			bad.begin(1)
			bad.send(bytes)
			r.settle()
			if len(bad.broken) != 1 || !errors.Is(bad.broken[0], lane.ErrCorrupt) || len(good.broken) != 0 {
				t.Errorf("Broken(%v), Broken(%v); want one call, with %v", bad.broken, good.broken, lane.ErrCorrupt)
			}
			if s := r.d.Stats(); s.Broken != 1 {
				t.Errorf("Stats() = %+v; want Broken 1", s)
			}
			bad.die()
			r.serve(f.Slot()).work()
			good.work()
			r.balance()
			if len(r.got) != 4 || len(bad.broken) != 1 {
				t.Errorf("got %d answers, Broken(%v); want 4, one call", len(r.got), bad.broken)
			}
		})
	}
}

// A lane that ends before its time is broken, and no offence.
func TestEndOfLane(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	r.submit(r.d.Open(1, 0, nil), 1, 1, "x")
	w.take(all)
	w.begin(1)
	w.answer(0)
	if err := w.end.Close(); err != nil {
		t.Error(err)
	}
	r.settle()
	r.want("1 x")
	if s := r.d.Stats(); len(w.broken) != 1 || s.Broken != 0 {
		t.Errorf("Broken(%v), Stats() = %+v; want one call, Broken 0", w.broken, s)
	}
	r.workers = nil
	w.Exited()
	w.Exited() // which does nothing
	r.run()
	if w.released != 1 {
		t.Errorf("released %d times; want once", w.released)
	}
}

// A second answer that comes late, when the request is forgotten.
func TestLateDuplicate(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{})
	w := r.serve(0)
	r.submit(r.d.Open(1, 0, nil), 1, 3, "x")
	for i := range 2 {
		if w.send(reply(0, "x")); len(w.broken) != 0 {
			t.Errorf("Broken(%v), want no call", w.broken)
		}
		r.settle()
		if s := r.d.Stats(); s.Answered != 1 || s.Broken != int64(i) {
			t.Errorf("Stats() = %+v, want Answered 1, Broken %d", s, i)
		}
	}
}

// Nobody is told of an answer to a flow that was closed.
func TestOrphans(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{Window: 2})
	w := r.serve(0)
	f, g := r.d.Open(1, 0, nil), r.d.Open(2, 0, nil)
	r.submit(f, 1, 1, "f")
	r.submit(g, 2, 2, "g")
	r.submit(f, 3, 3, "f")
	r.submit(g, 4, 4, "g")
	f.Close()
	g.Discard()
	w.work()
	r.want()
	if s := r.d.Stats(); s.Orphans != 3 || s.Dropped != 1 {
		t.Errorf("Stats() = %+v; want Orphans 3, Dropped 1", s)
	}
}

// The first request stays unanswered while many later ones are answered. It is put
// aside, so that nothing else is kept, and comes to its end like any other.
func TestStuck(t *testing.T) {
	for name, settle := range map[string]func(r *rig, w *worker) string{
		"answer": func(_ *rig, w *worker) string {
			w.answer(0)
			w.work()
			return "0 " + strings.Repeat("x", 3000)
		},
		"death": func(r *rig, w *worker) string {
			w.die()
			return "0 (request lost)"
		},
		"close": func(r *rig, _ *worker) string {
			r.round(r.d.Close)
			return "0 (dispatch: closed)"
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRig(t, 1, dispatch.Options{Window: 64})
			w := r.serve(0)
			f := r.d.Open(1, 0, nil)
			r.submit(f, 0, 0, strings.Repeat("x", 3000))
			before := uint64(0)
			for i := range 100_000 / 50 {
				if i == 10 {
					before = heap()
				}
				r.submit(f, 1, 50, strings.Repeat("x", 100))
				w.take(all)
				w.begin(all)
				for len(w.open) > 1 {
					w.answer(1)
				}
				r.settle()
				r.got = r.got[:0]
			}
			if after := heap(); after > before+1<<20 {
				t.Errorf("%d bytes are in use, %d before; want no more", after, before)
			}
			r.wantUnanswered(0, 1)
			want := settle(r, w)
			r.want(want)
		})
	}
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A request that was put aside and has not begun is sent again before those after it.
// Its second answer is one too many.
func TestStuckAgain(t *testing.T) {
	r := startRig(t, 1, dispatch.Options{Window: 4})
	w := r.serve(0)
	f := r.d.Open(1, 0, nil)
	r.submit(f, 0, 0, strings.Repeat("x", 100_000))
	for range 10 {
		r.submit(f, 1, 2, "y")
		w.takeAll()
		for i := 1; i < len(w.waits); i++ {
			w.send(reply(w.waits[i].ID, "y")) // though it has begun none
		}
		w.waits = w.waits[:1]
		r.settle()
	}
	r.submit(f, 3, 3, "z")
	r.got = nil
	w.die()
	w = r.serve(0)
	w.takeAll()
	if len(w.waits) != 2 || len(w.waits[0].payload) != 100_000 {
		t.Fatalf("the worker has %d requests, want 2, the large one first", len(w.waits))
	}
	for range 2 {
		w.begin(1)
		w.answer(0)
	}
	w.send(reply(0, "x"))
	r.settle()
	if len(r.got) != 2 || len(w.broken) != 1 {
		t.Errorf("got %d answers, Broken(%v); want 2, one call", len(r.got), w.broken)
	}
}

//go:build linux

package dispatch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// An outcome is what a request has come to.
type outcome struct {
	cookie uint64
	text   string
	err    error
}

// A rig is a Dispatcher on rounds, with workers that do what the test says.
type rig struct {
	rounds
	tb      testing.TB
	d       *dispatch.Dispatcher
	got     []outcome // unless the test has an Answered of its own
	workers []*worker // that were not ended
}

// newRig returns a rig without workers.
func newRig(tb testing.TB, slots int, o dispatch.Options) *rig {
	tb.Helper()
	r := &rig{tb: tb}
	if o.Answered == nil {
		o.Answered = func(a dispatch.Answer) { r.got = append(r.got, outcome{a.Cookie, string(a.Payload), a.Err}) }
	}
	var err error
	if r.d, err = dispatch.New(slots, r, &o); err != nil {
		tb.Fatal(err)
	}
	return r
}

// startRig returns a rig that ends with the test, and leaves nothing behind.
func startRig(tb testing.TB, slots int, o dispatch.Options) *rig {
	tb.Helper()
	leaktest.Check(tb)
	r := newRig(tb, slots, o)
	tb.Cleanup(r.end)
	return r
}

// end ends the workers that are left, and checks that everything is settled.
func (r *rig) end() {
	for len(r.workers) > 0 {
		r.workers[0].die()
	}
	r.round(r.d.Close)
	r.settle()
	r.balance()
}

// balance checks that the numbers of Stats add up, and that nothing is pending.
func (r *rig) balance() {
	r.tb.Helper()
	r.identity()
	if n := r.pending(); n != 0 {
		r.tb.Errorf("Pending() = %d; want 0: %+v", n, r.d.Stats())
	}
}

// pending returns how many requests are not answered.
func (r *rig) pending() int64 {
	s := r.d.Stats()
	return s.Pending()
}

// identity checks that the numbers of Stats add up.
func (r *rig) identity() {
	r.tb.Helper()
	s := r.d.Stats()
	if sum := s.Answered + s.Failed + s.Lost + s.Unserved + s.Dropped + s.Orphans + s.Pending(); sum != s.Submitted {
		r.tb.Errorf("Stats() = %+v, of which the sum is %d; want %d", s, sum, s.Submitted)
	}
}

// submit submits requests in one round, with consecutive cookies.
func (r *rig) submit(f *dispatch.Flow, first, last int, payload string) {
	r.tb.Helper()
	r.round(func() {
		for i := first; i <= last; i++ {
			if err := r.d.Submit(f, dispatch.Request{Payload: []byte(payload), Cookie: uint64(i)}); err != nil {
				r.tb.Errorf("Submit(%d) = %v; want nil", i, err)
			}
		}
	})
}

// want checks what has come of requests since the last time.
func (r *rig) want(want ...string) {
	r.tb.Helper()
	var got []string
	for _, o := range r.got {
		if o.err != nil {
			o.text = fmt.Sprintf("(%v)", o.err)
		}
		got = append(got, fmt.Sprintf("%d %s", o.cookie, o.text))
	}
	r.got = nil
	if !slices.Equal(got, want) {
		r.tb.Errorf("got answers %q, want %q", got, want)
	}
}

// A message is what a worker has received.
type message struct {
	lane.Header
	payload []byte
}

// A worker is one that does what the test says.
type worker struct {
	*dispatch.Lane
	r        *rig
	slot     int
	end      *uds.Socket
	records  framing.Decoder
	parts    lane.Assembler
	begun    int64
	waits    []message // that have not begun
	open     []message // that have begun, and are not answered
	returns  []message
	nothing  bool // nothing follows, it was told
	broken   []error
	breaks   func() // with Broken, or nil
	released int
}

// attach gives a slot a worker that is not ready.
func (r *rig) attach(slot int) *worker {
	r.tb.Helper()
	ours, theirs, err := uds.SocketPair(uds.Stream)
	if err != nil {
		r.tb.Fatal(err)
	}
	w := &worker{r: r, slot: slot, end: theirs, records: lane.NewDecoder()}
	w.Lane = r.d.Attach(slot, dispatch.Worker{
		Socket:   ours,
		Begun:    func() int64 { return w.begun },
		Broken:   w.breaking,
		Released: func() { w.released++ },
	})
	r.workers = append(r.workers, w)
	r.run()
	return w
}

// breaking is told that the lane is broken.
func (w *worker) breaking(err error) {
	w.broken = append(w.broken, err)
	if w.breaks != nil {
		w.breaks()
	}
}

// serve gives a slot a worker that is ready.
func (r *rig) serve(slot int) *worker {
	r.tb.Helper()
	w := r.attach(slot)
	w.Ready()
	r.run()
	return w
}

// take reads what has come, up to limit bytes, and returns how many there were.
func (w *worker) take(limit int) (total int) {
	w.r.tb.Helper()
	buf := make([]byte, 64<<10)
	for limit > 0 {
		n, err := w.end.TryReceive(buf[:min(limit, len(buf))])
		switch {
		case errors.Is(err, uds.ErrEmpty), err == io.EOF:
			return total
		case err != nil:
			w.r.tb.Fatalf("TryReceive of the worker in slot %d = %v; want nil", w.slot, err)
		}
		limit, total = limit-n, total+n
		for record, err := range w.records.Frames(buf[:n]) {
			if err != nil {
				w.r.tb.Fatalf("Frames(…) = %v; want nil", err)
			}
			w.receive(record)
		}
	}
	return total
}

// receive takes a record.
func (w *worker) receive(record []byte) {
	w.r.tb.Helper()
	h, piece, err := lane.Parse(record)
	if err != nil {
		w.r.tb.Fatalf("Parse(…) = %v; want nil", err)
	}
	payload, whole, err := w.parts.Add(h, piece)
	if err != nil || w.nothing {
		w.r.tb.Fatalf("Add(%+v) = %v, after the end: %t; want nil, false", h, err, w.nothing)
	}
	m := message{h, bytes.Clone(payload)}
	switch {
	case !whole:
	case h.Kind == lane.KindEnd:
		w.nothing = true
	case h.Kind == lane.KindRequest:
		w.waits = append(w.waits, m)
	default:
		w.returns = append(w.returns, m)
	}
}

// begin begins so many requests, and returns how many there were.
func (w *worker) begin(n int) int {
	n = min(n, len(w.waits))
	w.begun += int64(n)
	w.open = append(w.open, w.waits[:n]...)
	w.waits = w.waits[n:]
	return n
}

// answer answers a request that has begun with its own payload.
func (w *worker) answer(i int) {
	m := w.open[i]
	w.open = slices.Delete(w.open, i, i+1)
	w.send(lane.Append(nil, lane.Header{Kind: lane.KindReply, ID: m.ID}, m.payload))
}

// takeAll reads until nothing more comes, and reports whether something came.
func (w *worker) takeAll() (some bool) {
	for w.r.settle(); w.take(all) > 0; w.r.settle() {
		some = true
	}
	return some
}

// work answers everything, until nothing more comes.
func (w *worker) work() {
	for w.takeAll() || w.begin(all) > 0 {
		for len(w.open) > 0 {
			w.answer(0)
		}
	}
}

// all is more than there ever is.
const all = 1 << 30

// send writes bytes to the lane, until it is broken.
func (w *worker) send(p []byte) {
	w.r.tb.Helper()
	for len(p) > 0 && len(w.broken) == 0 {
		n, err := w.end.TrySend(p)
		if p = p[n:]; errors.Is(err, uds.ErrFull) {
			w.r.settle()
		} else if err != nil {
			w.r.tb.Fatalf("TrySend of the worker in slot %d = %v; want nil", w.slot, err)
		}
	}
}

// die ends the worker. What it has sent is not read before.
func (w *worker) die() {
	w.r.tb.Helper()
	if err := w.end.Close(); err != nil {
		w.r.tb.Error(err)
	}
	w.r.workers = slices.DeleteFunc(w.r.workers, func(o *worker) bool { return o == w })
	w.Exited()
	w.r.run()
	if w.released != 1 {
		w.r.tb.Errorf("the worker in slot %d was released %d times; want once", w.slot, w.released)
	}
}

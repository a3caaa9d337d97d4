//go:build linux

package dispatch

import (
	"errors"

	"github.com/plait-go/plait/procpool/lane"
)

// A queue is requests that wait for a worker: of a slot, or of any.
type queue struct {
	log
	d     *Dispatcher
	flows *Flow // that submit here, the first of a list
	full  bool
}

func (q *queue) init(d *Dispatcher) {
	q.d = d
	q.log.pool = &d.chunks
}

// put has a request wait.
func (q *queue) put(f *Flow, r *Request, flags entryFlags) error {
	limit := q.d.o.QueueBytes
	if q.d.o.Full != nil {
		limit = 2*limit + q.d.o.Max // for those who could not be told in time
	}
	if q.len() > 0 && q.cost+len(r.Payload)+overhead > limit {
		return ErrFull
	}
	e := q.add(lane.Header{Kind: lane.KindRequest, Tag: f.ID}, r.Payload)
	e.set(f, r, flags)
	q.waits(e)
	q.tellFull(f)
	return nil
}

// share is what one flow may have waiting of the bytes of a queue before it is full.
const share = 16

// waits notes that one more request waits.
func (q *queue) waits(e *entry) {
	f := e.flow
	f.waiting++
	f.cost += e.cost()
	f.pend(e.stay, 1)
	q.d.counts.Waiting++
}

// tellFull calls Full, as more requests of f wait.
func (q *queue) tellFull(f *Flow) {
	if q.full || f.cost > q.d.o.QueueBytes/share {
		q.d.fill(f)
	}
	if q.full || q.cost <= q.d.o.QueueBytes {
		return
	}
	q.full = true
	var all []*Flow // which what is called may change
	for f := q.flows; f != nil; f = f.next {
		all = append(all, f)
	}
	for _, f := range all {
		if f.in == q {
			q.d.fill(f)
		}
	}
}

// fill tells that f should submit no more.
func (d *Dispatcher) fill(f *Flow) {
	if f.full || f.closed || d.o.Full == nil {
		return
	}
	f.full = true
	d.o.Full(f)
}

// moved notes that a request waits no more.
func (q *queue) moved(e *entry) {
	f := e.flow
	f.waiting--
	f.cost -= e.cost()
	f.pend(e.stay, -1)
	q.d.counts.Waiting--
	q.d.wake()
	if f.full && !f.in.full && q.d.hasRoom(f) {
		q.d.roomy = append(q.d.roomy, f)
	}
	if !q.full || q.cost > q.d.o.QueueBytes/2 {
		return
	}
	q.full = false
	for f := q.flows; f != nil; f = f.next {
		if f.full && q.d.hasRoom(f) {
			q.d.roomy = append(q.d.roomy, f)
		}
	}
}

// hasRoom reports whether little enough of f waits for it to submit again.
func (d *Dispatcher) hasRoom(f *Flow) bool { return f.cost <= d.o.QueueBytes/share/2 }

// tellRoom calls Room for those who may submit again.
func (d *Dispatcher) tellRoom() {
	for i := 0; i < len(d.roomy); i++ { // more may come
		f := d.roomy[i]
		if f.full && !f.closed && d.hasRoom(f) && !f.in.full && !d.closed {
			f.full = false
			if d.o.Room != nil {
				d.o.Room(f)
			}
		}
	}
	clear(d.roomy)
	d.roomy = d.roomy[:0]
}

// pump sends requests that wait to workers that have room.
func (d *Dispatcher) pump(s *slot) {
	d.pumpSlot(s)
	for d.moved {
		d.moved = false
		for _, s := range d.slots {
			d.pumpSlot(s)
		}
	}
	for d.queue.len() > 0 {
		to := d.choose()
		if to == nil {
			break
		}
		d.forward(&d.queue, to)
	}
	d.tellRoom()
}

func (d *Dispatcher) pumpSlot(s *slot) {
	for q := &s.queue; q.len() > 0; {
		e := q.at(q.first)
		switch {
		case !e.is(lost) && s.takes(e.flow, e.stay):
			d.forward(q, s.lane)
		case e.is(lost) && (e.flow.unanswered == 0 || e.flow.slot == nil && s.alone(nil)):
			q.drop(ErrLost)
		default:
			return
		}
	}
}

// forward sends the first request of a queue to a worker, unless nobody wants it any
// more.
func (d *Dispatcher) forward(q *queue, to *Lane) {
	e := *q.at(q.first)
	if e.flow.discards {
		q.pop()
		d.counts.Dropped++
	} else {
		q.move(&to.log, to.log.next)
		to.count(&e)
		to.touch()
	}
	q.moved(&e)
}

// giveUp answers what no worker will come for.
func (d *Dispatcher) giveUp(s *slot) {
	if s.finished {
		s.queue.fail(ErrNoWorker)
	}
	if d.finished() {
		d.queue.fail(ErrNoWorker)
	}
	d.pump(s)
}

// fail answers all requests of the queue with an error.
func (q *queue) fail(err error) {
	for q.len() > 0 {
		q.drop(err)
	}
}

// drop answers the first request of the queue with an error.
func (q *queue) drop(err error) {
	e := *q.at(q.first)
	q.pop()
	q.moved(&e)
	q.d.unserved(&e, err)
}

// unserved tells that no worker answers a request.
func (d *Dispatcher) unserved(e *entry, err error) {
	if e.is(lost) {
		err = ErrLost
	}
	switch {
	case e.flow.closed:
		d.counts.Dropped++
		return
	case errors.Is(err, ErrLost):
		d.counts.Lost++
	default:
		d.counts.Unserved++
	}
	d.o.Answered(Answer{Flow: e.flow, Cookie: e.cookie, Err: err})
}

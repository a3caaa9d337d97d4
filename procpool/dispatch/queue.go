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
func (q *queue) put(f *Flow, r *Request) error {
	limit := q.d.o.QueueBytes
	if q.d.o.Full != nil {
		limit = 2*limit + q.d.o.Max // for those who could not be told in time
	}
	if q.len() > 0 && q.cost+len(r.Payload)+overhead > limit {
		return ErrFull
	}
	e := q.add(lane.Header{Kind: lane.KindRequest, Tag: f.ID}, r.Payload)
	e.set(f, r)
	q.waits(e)
	return nil
}

// share is what one flow may have waiting of the bytes of a queue before it is full.
const share = 16

// waits notes that one more request waits.
func (q *queue) waits(e *entry) {
	f := e.flow
	f.waiting++
	f.cost += e.cost()
	q.d.counts.Waiting++
	if f.cost > q.d.o.QueueBytes/share {
		q.d.fill(f)
	}
	if q.full || q.cost <= q.d.o.QueueBytes {
		return
	}
	q.full = true
	for f := q.flows; f != nil; f = f.next {
		q.d.fill(f)
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
	q.d.counts.Waiting--
	if f.full && !q.full && q.d.hasRoom(f) {
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
		if f.full && !f.closed && d.hasRoom(f) && !f.in.full {
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
	if s != nil {
		q := &s.queue
		for q.len() > 0 && s.takes(q.at(q.first).flow) {
			d.forward(q, s.lane)
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

// fail answers all requests of the queue with an error.
func (q *queue) fail(err error) {
	for q.len() > 0 {
		e := *q.at(q.first)
		q.pop()
		q.moved(&e)
		q.d.unserved(&e, err)
	}
}

// unserved tells that no worker answers a request.
func (d *Dispatcher) unserved(e *entry, err error) {
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

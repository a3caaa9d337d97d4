//go:build linux

package dispatch

import (
	"slices"

	"github.com/plait-go/plait/procpool/lane"
)

// exited settles what a worker that is dead has left: first it takes the answers that
// are still in the lane; then what has begun is sent again or lost, and what has not
// begun is sent to the next worker, before everything else.
func (l *Lane) exited() {
	if l.state == gone {
		return
	}
	l.dead = true
	if l.slot.lane == l {
		l.slot.lane = nil
	}
	for more := l.state < broken; more; {
		more = l.readable()
	}
	l.breaks(lane.ErrEnded)
	l.state = gone
	l.slot.lanes = slices.DeleteFunc(l.slot.lanes, func(o *Lane) bool { return o == l })
	lost := l.requeue()
	l.release()
	for i := range lost {
		l.d.unserved(&lost[i], ErrLost)
	}
	call(&l.halted)
	call(&l.drained)
	l.d.giveUp(l.slot)
	l.slot.publish()
	l.d.wake()
}

// requeue has what the worker has not begun wait again, in front of all that waits,
// and returns what is lost. A loss that comes after a request of the flow that is sent
// again waits for that, too.
func (l *Lane) requeue() (gone []entry) {
	own, shared := l.front(&l.slot.queue), l.front(&l.d.queue)
	begun := l.Begun()
	keep := func(e *entry, number int64) *front {
		l.uncount(e)
		switch {
		case e.flow.discards:
			l.d.counts.Dropped++
			return nil
		case number >= begun:
			l.d.counts.Resent++
		case e.is(redelivers):
			e.flags &^= redelivers
			l.d.counts.Redelivered++
		case !e.is(roams) && slices.Contains(own.flows, e.flow):
			own.take(own.mark(e))
			return nil
		default:
			gone = append(gone, *e)
			return nil
		}
		if e.is(roams) {
			return shared.take(e)
		}
		return own.take(e)
	}
	for i := range l.stuck {
		s := &l.stuck[i]
		if to := keep(&s.entry, s.number); to != nil {
			to.add(lane.Header{Kind: lane.KindRequest, Tag: s.flow.ID}, s.payload).copy(&s.entry)
		}
	}
	l.stuck = nil
	for l.log.len() > 0 {
		e := l.log.at(l.log.first)
		number := l.popped
		if !e.is(extra) {
			l.popped++
		}
		var to *front
		if !e.is(settled) {
			to = keep(e, number)
		}
		if to != nil {
			l.log.move(&to.log, 0)
		} else {
			l.log.pop()
		}
	}
	own.put()
	shared.put()
	own.tell()
	shared.tell()
	return gone
}

// A front is requests that are to come before all others of a queue.
type front struct {
	log
	q     *queue
	flows []*Flow // whose they are
}

func (l *Lane) front(q *queue) *front {
	return &front{log: log{store: store{pool: &l.d.chunks}}, q: q}
}

// take notes that a request waits again, which is added before or after.
func (f *front) take(e *entry) *front {
	f.q.waits(e)
	f.flows = append(f.flows, e.flow)
	return f
}

// put makes the requests the first of the queue.
func (f *front) put() {
	if f.len() == 0 {
		return
	}
	for f.q.len() > 0 {
		f.q.move(&f.log, 0)
	}
	f.q.log = f.log
}

// tell calls Full, now that all is in order.
func (f *front) tell() {
	for _, flow := range f.flows {
		f.q.tellFull(flow)
	}
}

// fail answers all that the worker has not answered with an error.
func (l *Lane) fail(err error) {
	var all []entry
	for i := range l.stuck {
		all = append(all, l.stuck[i].entry)
	}
	l.stuck = nil
	for ; l.log.len() > 0; l.log.pop() {
		if e := l.log.at(l.log.first); !e.is(settled) {
			all = append(all, *e)
		}
	}
	for i := range all {
		l.uncount(&all[i])
	}
	for i := range all {
		l.d.unserved(&all[i], err)
	}
}

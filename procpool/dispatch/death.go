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
	if l.slot.finished {
		l.slot.queue.fail(ErrNoWorker)
	}
	call(&l.halted)
	call(&l.drained)
	l.d.pump(l.slot)
	l.slot.publish()
	l.d.wake()
}

// requeue has what the worker has not begun wait again, in front of all that waits,
// and returns what is lost.
func (l *Lane) requeue() (lost []entry) {
	q := &l.d.queue
	if k := l.d.policy.kind; k == sticky || k == keyed || k == custom {
		q = &l.slot.queue
	}
	begun := l.Begun()
	again := log{store: store{pool: &l.d.chunks}}
	keep := func(e *entry, number int64) bool {
		l.uncount(e)
		switch {
		case e.flow.discards:
			l.d.counts.Dropped++
			return false
		case number >= begun:
			l.d.counts.Resent++
		case e.is(redelivers):
			e.flags &^= redelivers
			l.d.counts.Redelivered++
		default:
			lost = append(lost, *e)
			return false
		}
		q.waits(e)
		return true
	}
	for i := range l.stuck {
		s := &l.stuck[i]
		if keep(&s.entry, s.number) {
			e := again.add(lane.Header{Kind: lane.KindRequest, Tag: s.flow.ID}, s.payload)
			e.flow, e.cookie, e.flags = s.flow, s.cookie, s.flags
		}
	}
	l.stuck = nil
	for l.log.len() > 0 {
		e := l.log.at(l.log.first)
		number := l.popped
		if !e.is(extra) {
			l.popped++
		}
		if !e.is(settled) && keep(e, number) {
			l.log.move(&again, 0)
		} else {
			l.log.pop()
		}
	}
	for q.len() > 0 {
		q.move(&again, 0)
	}
	q.log = again
	return lost
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

//go:build linux

package dispatch

import (
	"errors"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
)

// hasRoom reports whether the worker can be sent another request.
func (l *Lane) hasRoom() bool {
	return l.unanswered < l.d.o.Window && (l.unanswered == 0 || l.cost < l.d.o.WindowBytes)
}

// add sends a request.
func (l *Lane) add(f *Flow, r *Request, flags entryFlags) {
	e := l.log.add(lane.Header{Kind: lane.KindRequest, ID: l.log.next, Tag: f.ID}, r.Payload)
	e.set(f, r, flags)
	l.count(e)
	l.touch()
}

// count notes that a request is sent.
func (l *Lane) count(e *entry) {
	l.unanswered++
	l.cost += e.cost()
	l.slot.counts.Requests++
	l.slot.counts.Unanswered++
	l.d.counts.Sent++
	e.flow.unanswered++
	e.flow.last = l
	e.flow.pend(e.stay, 1)
}

// append sends what is no request.
func (l *Lane) append(h lane.Header, payload []byte) {
	l.log.add(h, payload).flags = extra | settled
	l.touch()
}

// touch has what was added flushed: at the end of the round, or when it is a batch.
func (l *Lane) touch() {
	if l.dirty {
		if l.log.unsent >= lane.Batch {
			l.flush()
		}
		return
	}
	l.dirty = true
	l.d.dirty = append(l.d.dirty, l)
	l.d.wake()
}

// wake has the round end with a flush.
func (d *Dispatcher) wake() {
	if !d.due {
		d.due = true
		d.driver.Defer(d.flush)
	}
}

// flush sends what the lanes have to send, and shows what was counted.
func (d *Dispatcher) flush() {
	d.tellRoom()
	d.due = false
	for i := 0; i < len(d.dirty); i++ {
		l := d.dirty[i]
		l.dirty = false
		l.flush()
		l.advance()
		l.slot.publish()
	}
	clear(d.dirty)
	d.dirty = d.dirty[:0]
	d.publish()
}

// flush sends until there is nothing to be sent or no room.
func (l *Lane) flush() {
	for l.log.unsent > 0 && !l.blocked && l.state < broken {
		ps := l.log.parts(l.d.parts[:0])
		var n int
		var err error
		if len(ps) == 1 {
			n, err = l.Socket.TrySend(ps[0])
		} else {
			n, err = l.Socket.TrySendv(ps...)
		}
		clear(ps)
		l.log.sent(n)
		l.sent += uint64(n)
		switch {
		case errors.Is(err, uds.ErrFull):
			l.blocked = true
			err = l.watch.Await()
		case errors.Is(err, uds.ErrPeerClosed):
			return // what it has answered is still to be read, and the end of it
		}
		if err != nil {
			l.breaks(err)
		}
	}
}

func (l *Lane) writable() {
	l.blocked = false
	l.flush()
	l.advance()
}

//go:build linux

package dispatch

import (
	"fmt"
	"slices"

	"github.com/plait-go/plait/procpool/lane"
)

// feed takes what the worker has sent.
func (l *Lane) feed(p []byte) error {
	for record, err := range l.records.Frames(p) {
		if err != nil {
			return fmt.Errorf("%w: %w", lane.ErrCorrupt, err)
		}
		h, piece, err := lane.Parse(record)
		if err != nil {
			return err
		}
		if h.Kind == lane.KindReply || h.Kind == lane.KindFailure {
			e := l.find(h.ID)
			if e == nil {
				return fmt.Errorf("%w: answer to request %d, which is not open", lane.ErrCorrupt, h.ID)
			}
			payload, whole, err := l.parts.Add(h, piece)
			if err != nil {
				return err
			}
			if whole {
				l.answered(h, e, payload)
			}
		} else if err := l.call(h, piece); err != nil {
			return err
		}
		if l.state >= broken { // by what a callback has done
			return nil
		}
	}
	return nil
}

// A stuck is a request that is not answered while many later ones are.
type stuck struct {
	id     uint64
	number int64 // among all requests of the lane
	entry
	payload []byte
}

// find returns the request with an id that was sent and is not answered, or nil.
func (l *Lane) find(id uint64) *entry {
	if id < l.log.first {
		for i := range l.stuck {
			if l.stuck[i].id == id {
				return &l.stuck[i].entry
			}
		}
		return nil
	}
	if id >= l.log.next {
		return nil
	}
	if e := l.log.at(id); !e.is(settled) && e.end <= l.sent {
		return e
	}
	return nil
}

// answered takes an answer.
func (l *Lane) answered(h lane.Header, e *entry, payload []byte) {
	a := Answer{Flow: e.flow, Cookie: e.cookie, Payload: payload}
	l.uncount(e)
	e.flags |= settled
	if h.ID < l.log.first {
		l.stuck = slices.DeleteFunc(l.stuck, func(s stuck) bool { return s.id == h.ID })
	}
	switch {
	case a.Flow.closed:
		l.d.counts.Orphans++
		return
	case h.Kind == lane.KindFailure:
		l.d.counts.Failed++
		a.Payload, a.Err = nil, &FailedError{Text: string(payload)}
	default:
		l.d.counts.Answered++
	}
	l.d.o.Answered(a)
}

// uncount notes that a request is not with the worker any more.
func (l *Lane) uncount(e *entry) {
	l.unanswered--
	l.cost -= e.cost()
	l.slot.counts.Unanswered--
	l.d.counts.Sent--
	e.flow.unanswered--
	e.flow.pend(e.stay, -1)
}

// advance forgets what is sent and settled. A request that keeps many later ones from
// being forgotten is put aside.
func (l *Lane) advance() {
	for l.log.len() > 0 {
		e := l.log.at(l.log.first)
		switch {
		case e.end > l.sent:
			return
		case e.is(settled):
		case l.log.len() > 2*l.d.o.Window || l.log.cost > 2*l.d.o.WindowBytes && l.log.cost > 2*l.cost:
			l.stuck = append(l.stuck, stuck{id: l.log.first, number: l.popped, entry: *e, payload: l.log.payload()})
		default:
			return
		}
		if !e.is(extra) {
			l.popped++
		}
		l.log.pop()
	}
}

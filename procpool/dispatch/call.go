//go:build linux

package dispatch

import (
	"errors"
	"fmt"

	"github.com/plait-go/plait/procpool/lane"
)

// maxCalls is how many calls of a worker may have no return. A worker that does not
// read those of twice as many is of no use.
const maxCalls = 1 << 16

// errCalls and errNoCalls are told a worker whose call is refused.
var (
	errCalls   = errors.New("too many calls")
	errNoCalls = errors.New("nobody takes calls here")
)

// A Call is a message that a worker has sent, and waits for the return of.
type Call struct {
	Slot    int // of the worker
	Tag     uint64
	Payload []byte // valid until Options.Called returns

	lane *Lane
	id   uint64
	done bool
}

// call takes a record of a call.
func (l *Lane) call(h lane.Header, piece []byte) error {
	if h.Kind != lane.KindCall {
		return fmt.Errorf("%w: kind %d from a worker", lane.ErrCorrupt, h.Kind)
	}
	payload, whole, err := l.parts.Add(h, piece)
	switch {
	case err != nil || !whole:
		return err
	case l.log.len() > 2*l.d.o.Window+2*maxCalls:
		return fmt.Errorf("%w: call %d, and returns are not read", lane.ErrCorrupt, h.ID)
	}
	l.called(h, payload)
	return nil
}

// called takes a call.
func (l *Lane) called(h lane.Header, payload []byte) {
	l.d.counts.Calls++
	l.calls++
	c := &Call{Slot: l.slot.number, Tag: h.Tag, Payload: payload, lane: l, id: h.ID}
	switch {
	case l.calls > maxCalls:
		c.Refuse(errCalls)
	case l.d.o.Called == nil:
		c.Refuse(errNoCalls)
	default:
		l.d.o.Called(c)
	}
}

// Return answers the call, in this round or a later one. A worker that is gone gets
// nothing. A second answer does nothing. It does not retain payload. One of more than
// Max bytes is a refusal.
func (c *Call) Return(payload []byte) {
	if limit := c.lane.d.o.Max; len(payload) > limit {
		c.Refuse(fmt.Errorf("%w: a return of %d bytes, %d are the limit", lane.ErrTooLong, len(payload), limit))
		return
	}
	c.end(lane.KindReturn, c.Tag, payload)
}

// Refuse answers that the call has come to nothing. The worker gets the text of err, up
// to Max bytes of it, and the number of a *lane.RefusedError.
func (c *Call) Refuse(err error) {
	code := uint64(0)
	if refused := new(lane.RefusedError); errors.As(err, &refused) {
		code = refused.Code
	}
	text := err.Error()
	c.end(lane.KindRefusal, code, []byte(text[:min(len(text), c.lane.d.o.Max)]))
}

func (c *Call) end(kind lane.Kind, tag uint64, payload []byte) {
	if c.done {
		return
	}
	c.done = true
	l := c.lane
	l.calls--
	if l.state < ending {
		l.append(lane.Header{Kind: kind, ID: c.id, Tag: tag}, payload)
		l.endIfDone()
	}
}

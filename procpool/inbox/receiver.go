//go:build linux

package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// A Message is what somebody has sent.
type Message struct {
	From    Addr
	Payload []byte // valid until the next Receive
}

// Stats count what has come to a Receiver, and what became of it.
type Stats struct {
	Messages  uint64 // returned
	Forwarded uint64 // passed on to the predecessor
	Stale     uint64 // dropped: for an incarnation that nobody is any more
	Malformed uint64 // dropped: not of a Sender

	Chunks chunk.Stats // of the packets that they came in; what was cut short is there
}

// Ends are where a process receives. They stay the caller's, but for their read
// deadlines.
type Ends struct {
	Main       *uds.Conn // the read end of its inbox
	AsideRead  *uds.Conn // the ends of a second one of the same slot, or nil
	AsideWrite *uds.Conn
}

// A Receiver receives what is sent to a process.
type Receiver struct {
	self    Addr
	ends    Ends
	main    *chunk.Reader
	aside   *chunk.Reader
	forward *Sender
	drained atomic.Bool
	stats   Stats
}

// NewReceiver returns a Receiver for the process that self says. Longer messages than
// limit, DefaultMax if that is 0, are dropped.
func NewReceiver(self Addr, ends Ends, limit int) *Receiver {
	limit = maxOf(limit)
	o := &chunk.ReaderOptions{Packet: packet, Limits: chunk.Limits{Message: limit + headerSize}}
	r := &Receiver{self: self, ends: ends, main: chunk.NewReader(ends.Main, o)}
	if ends.AsideRead != nil {
		r.aside = chunk.NewReader(ends.AsideRead, o)
		r.forward = NewSender(self, []*uds.Conn{ends.AsideWrite}, limit)
	}
	return r
}

// Receive waits for a message until ctx ends. What is addressed to a predecessor is
// passed on to it on the way. The error is the cause of ctx, or the socket's; what
// is wrong with a message is counted, and no error.
func (r *Receiver) Receive(ctx context.Context) (Message, error) {
	for {
		raw, err := r.next(ctx)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && r.drained.Load() && ctx.Err() == nil:
			continue // from now on aside
		case errors.Is(err, chunk.ErrMalformed), errors.Is(err, io.ErrShortBuffer):
			continue // counted
		case err != nil:
			return Message{}, fmt.Errorf("inbox: %w", err)
		}
		h, payload, err := parse(raw)
		switch {
		case err != nil:
			r.stats.Malformed++
		case h.to == 0 || h.to == r.self.Incarnation:
			r.stats.Messages++
			return Message{From: h.from, Payload: payload}, nil
		default:
			r.pass(h, payload)
		}
	}
}

// next returns the next message from where this process receives now.
func (r *Receiver) next(ctx context.Context) ([]byte, error) {
	if !r.drained.Load() {
		return r.main.Receive(ctx)
	}
	if r.aside == nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return r.aside.Receive(ctx)
}

// pass passes on what is for a predecessor, unless that does not receive: nobody
// waits for one that is gone.
func (r *Receiver) pass(h header, payload []byte) {
	if h.to > r.self.Incarnation || r.forward == nil || r.drained.Load() {
		r.stats.Stale++
		return
	}
	to := Addr{Slot: 0, Incarnation: h.to} // the only one
	r.forward.self = h.from
	if r.forward.TrySend(to, payload) != nil {
		r.stats.Stale++
		return
	}
	r.stats.Forwarded++
}

// Drain leaves the inbox to a successor: a Receive that waits, and all that come,
// return only what is passed on by it. It may be called from any goroutine, any
// number of times.
func (r *Receiver) Drain() {
	r.drained.Store(true)
	_ = r.ends.Main.SetReadDeadline(time.Unix(1, 0)) // or it is closed
}

// Stats returns what has been counted. It belongs to the goroutine of Receive.
func (r *Receiver) Stats() Stats {
	s := r.stats
	s.Chunks = r.main.Stats()
	return s
}

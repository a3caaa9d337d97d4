//go:build linux

package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
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
	Forwarded uint64 // passed on to another incarnation
	Stale     uint64 // dropped: for an incarnation that nobody is any more, or that has no room
	Malformed uint64 // dropped: not of a Sender
	Held      int    // for a successor, until this process drains

	Chunks chunk.Stats // of the packets in the inbox; what was cut short is there
}

// Ends are where a process receives. They stay the caller's, but for their read
// deadlines. All but Main may be nil.
type Ends struct {
	Main       *uds.Conn // the read end of its inbox
	MainWrite  *uds.Conn // the write end
	AsideRead  *uds.Conn // the ends of a second one of the same slot
	AsideWrite *uds.Conn
}

// A Receiver receives what is sent to a process.
type Receiver struct {
	self    Addr
	ends    Ends
	main    *chunk.Reader
	aside   *chunk.Reader
	pass    *Sender // to aside, which is slot 0, and to the inbox, slot 1
	drained atomic.Bool
	stats   Stats

	mu   sync.Mutex
	held []held // for a successor, until this process drains
	size int    // of these, in bytes
	lost uint64 // of these
}

// held is a message that is held for a successor.
type held struct {
	header
	payload []byte
}

// maxHeld is how much is held for a successor, in bytes, each message counted with
// its header.
const maxHeld = 1 << 20

// Incomplete messages wait so long for the next packet: whoever receives may be at
// work meanwhile. How many there are is bounded by their memory.
const (
	maxAge   = time.Minute
	maxCount = 4096
)

// NewReceiver returns a Receiver for the process that self says. Longer messages than
// limit, DefaultMax if that is 0, are dropped.
func NewReceiver(self Addr, ends Ends, limit int) *Receiver {
	limit = maxOf(limit)
	o := &chunk.ReaderOptions{Packet: packet, Limits: chunk.Limits{
		Message: limit + headerSize, Pending: max(chunk.DefaultPending, 4*(limit+headerSize)), Count: maxCount, Age: maxAge,
	}}
	r := &Receiver{self: self, ends: ends, main: chunk.NewReader(ends.Main, o)}
	if ends.AsideRead != nil {
		r.aside = chunk.NewReader(ends.AsideRead, o)
	}
	r.pass = NewSender(self, []*uds.Conn{ends.AsideWrite, ends.MainWrite}, limit)
	return r
}

// The slots of pass.
const (
	asideSlot = 0
	mainSlot  = 1
)

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
			r.passOn(h, payload)
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

// passOn passes on what is for another incarnation, unless that does not receive:
// nobody waits for one that is gone. What is for a successor is held, until this
// process no longer takes it from the inbox.
func (r *Receiver) passOn(h header, payload []byte) {
	if h.hops++; h.hops > maxHops {
		r.stats.Stale++
		return
	}
	slot := uint32(asideSlot)
	if h.to > r.self.Incarnation {
		if r.hold(h, payload) {
			return
		}
		slot = mainSlot
	}
	if r.pass.trySend(Addr{Slot: slot, Incarnation: h.to}, h, payload) != nil {
		r.stats.Stale++
		return
	}
	r.stats.Forwarded++
}

// hold holds a message, unless this process has drained.
func (r *Receiver) hold(h header, payload []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drained.Load() {
		return false
	}
	if r.size += len(payload) + headerSize; r.size > maxHeld {
		r.size -= len(payload) + headerSize
		r.lost++
		return true
	}
	r.held = append(r.held, held{h, bytes.Clone(payload)})
	return true
}

// Drain leaves the inbox to a successor: a Receive that waits, and all that come,
// return only what is passed on by it. It may be called from any goroutine, any
// number of times.
func (r *Receiver) Drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained.Store(true)
	_ = r.ends.Main.SetReadDeadline(time.Unix(1, 0)) // or it is closed
	for _, m := range r.held {
		if r.pass.trySend(Addr{Slot: mainSlot, Incarnation: m.to}, m.header, m.payload) != nil {
			r.lost++
		}
	}
	r.held, r.size = nil, 0
}

// Stats returns what has been counted. It belongs to the goroutine of Receive.
func (r *Receiver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Stale += r.lost
	s.Held = len(r.held)
	s.Chunks = r.main.Stats()
	return s
}

//go:build linux

package envelope

import (
	"context"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

const (
	keptBuffers = 4       // of a Producer
	keptSize    = 1 << 16 // bytes of a buffer that is kept; larger ones are rare
)

// A Producer sends payloads in envelopes. Any number of goroutines may use it at
// once. It owns nothing that is to be closed; the queue is the caller's.
type Producer struct {
	q      *sysvmsg.Queue
	schema uint16
	self   Identity
	free   chan []byte
}

// NewProducer returns a Producer for a queue, whose messages have the schema that
// their Consumers expect.
func NewProducer(q *sysvmsg.Queue, schema uint16) *Producer {
	return &Producer{q: q, schema: schema, self: Self(), free: make(chan []byte, keptBuffers)}
}

// Send sends a payload, which it does not retain, and waits for room in the queue
// until ctx ends. The queue sees HeaderSize bytes more than the payload has. The
// errors are those of sysvmsg.Queue.Send; sysvmsg.ErrTooLarge counts the header.
func (p *Producer) Send(ctx context.Context, t sysvmsg.Type, payload []byte) error {
	b, err := p.pack(payload)
	if err != nil {
		return err
	}
	defer p.keep(b)
	return p.q.Send(ctx, t, b)
}

// TrySend is Send that does not wait: sysvmsg.ErrFull says that there is no room.
func (p *Producer) TrySend(t sysvmsg.Type, payload []byte) error {
	b, err := p.pack(payload)
	if err != nil {
		return err
	}
	defer p.keep(b)
	return p.q.TrySend(t, b)
}

// pack puts a payload in an envelope, in a buffer that is to be passed to keep.
func (p *Producer) pack(payload []byte) ([]byte, error) {
	var b []byte
	select {
	case b = <-p.free:
	default:
	}
	return Append(b, Header{Schema: p.schema, Time: time.Now(), Producer: p.self}, payload)
}

// keep makes a buffer available to the next pack.
func (p *Producer) keep(b []byte) {
	if cap(b) > keptSize {
		return
	}
	select {
	case p.free <- b[:0]:
	default:
	}
}

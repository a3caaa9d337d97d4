//go:build linux

package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// ReaderOptions are how a Reader receives. A nil *ReaderOptions is the defaults.
type ReaderOptions struct {
	// Packet is the size of the largest packet, in bytes, with its header;
	// DefaultSingle + HeaderSize if 0 or less, which is what Writers make by default.
	// It is address space first: the kernel provides memory as packets fill it.
	Packet int

	// Limits bound what is held of incomplete messages.
	Limits Limits
}

// A TryReceiver receives packets without waiting, as TryReceive of uds.Conn does. An
// error that matches io.ErrShortBuffer says that the packet was longer than p.
type TryReceiver interface {
	TryReceive(p []byte) (n int, err error)
}

// A Receiver can wait, too, as Receive of uds.Conn does.
type Receiver interface {
	TryReceiver
	Receive(ctx context.Context, p []byte) (n int, err error)
}

// A TryReader receives messages without waiting. It is the part of a [Reader] that an
// event loop can use. It has a Reassembler and a buffer for a packet.
type TryReader struct {
	from     TryReceiver
	messages Reassembler
	packet   []byte
}

// A Reader receives messages, and waits for them.
type Reader struct {
	TryReader
	from Receiver
}

// NewTryReader returns a TryReader that receives from from. A nil o is the defaults.
func NewTryReader(from TryReceiver, o *ReaderOptions) *TryReader {
	r := newTryReader(from, o)
	return &r
}

// NewReader returns a Reader that receives from from. A nil o is the defaults.
func NewReader(from Receiver, o *ReaderOptions) *Reader {
	return &Reader{TryReader: newTryReader(from, o), from: from}
}

func newTryReader(from TryReceiver, o *ReaderOptions) TryReader {
	if o == nil {
		o = &ReaderOptions{}
	}
	return TryReader{
		from:     from,
		messages: Reassembler{Limits: o.Limits},
		packet:   make([]byte, or(o.Packet, DefaultSingle+HeaderSize)),
	}
}

// TryReceive receives one packet, and returns the message that is whole with it, if
// done says so. The message is valid until the next call. A caller calls it again
// until the connection has nothing, or until others should have their turn.
//
// The error is [ErrMalformed], or the connection's: uds.ErrEmpty, as it is, if nothing
// had come, or io.EOF. One that matches io.ErrShortBuffer is about a packet that was
// longer than the buffer and is dropped. After each of these, but io.EOF, TryReceive
// can be called again, and nothing else is lost.
func (r *TryReader) TryReceive() (message []byte, done bool, err error) {
	n, err := r.from.TryReceive(r.packet)
	return r.take(n, err)
}

// Receive waits for a message until ctx ends. The message is valid until the next
// call.
//
// The error is one of those of TryReceive. What has come of incomplete messages is
// there still when Receive is called again.
func (r *Reader) Receive(ctx context.Context) ([]byte, error) {
	for {
		n, err := r.from.Receive(ctx, r.packet)
		message, done, err := r.take(n, err)
		if done || err != nil {
			return message, err
		}
		// A connection that always has a packet need not look at ctx.
		if ctx.Err() != nil {
			return nil, fmt.Errorf("chunk: receive: %w", context.Cause(ctx))
		}
	}
}

// Expire drops the messages whose next packet is overdue at the time now, as
// [Reassembler.Expire].
func (r *TryReader) Expire(now time.Time) { r.messages.Expire(now) }

// Stats returns what has been counted.
func (r *TryReader) Stats() Stats { return r.messages.Stats() }

// take passes on what was received.
func (r *TryReader) take(n int, err error) ([]byte, bool, error) {
	switch {
	case err == nil:
		return r.messages.Add(r.packet[:n], time.Now())
	case errors.Is(err, io.ErrShortBuffer):
		r.messages.stats.Packets++
		r.messages.stats.Truncated++
		return nil, false, fmt.Errorf("chunk: %w", err)
	}
	return nil, false, err
}

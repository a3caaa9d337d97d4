//go:build linux

package chunk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
)

// The sizes that are used where Options say nothing.
const (
	DefaultChunk   = 64<<10 - HeaderSize // bytes of a message in a packet
	DefaultSingle  = 1 << 20             // bytes of a message that is one packet
	DefaultMessage = 16 << 20            // bytes of a message
)

const (
	leastChunk = 512     // bytes; who has no memory for that has none
	keep       = 1 << 20 // bytes that a TryWriter keeps for what it could not send
)

// ErrTooLong is returned for a message that is longer than Options.Message.
var ErrTooLong = errors.New("chunk: message too long")

// Options are how a Writer sends. A nil *Options is the defaults.
type Options struct {
	// Chunk is how much of a message is sent in a packet, if the message does not fit
	// in one, in bytes; DefaultChunk if 0 or less. There is less in one if MaxMessage
	// of the connection says so.
	Chunk int

	// Single is the length of the longest message that is sent in one packet rather
	// than in chunks, if MaxMessage allows that, in bytes; DefaultSingle if 0 or less.
	// It is of no effect below Chunk. The receiver's buffer must have room for such a
	// packet: see ReaderOptions.
	Single int

	// Message is the length of the longest message, in bytes; DefaultMessage if 0 or
	// less. The receiver's Limits should allow it.
	Message int
}

// A TrySender sends packets without waiting, as uds.Conn does. TrySendv sends one
// packet, of which bufs are the parts, or returns an error. One that matches EMSGSIZE
// says that the packet is too large now. It does not retain bufs.
//
// MaxMessage is the size of the largest packet, in bytes. It is asked for when a
// message does not fit in a chunk the first time, and when a packet was too large. So
// buffers should be made large before that.
type TrySender interface {
	TrySendv(bufs ...[]byte) (n int, err error)
	MaxMessage() (int, error)
}

// A Sender can wait for room, too, as Sendv of uds.Conn does.
type Sender interface {
	TrySender
	Sendv(ctx context.Context, bufs ...[]byte) (n int, err error)
}

// A TryWriter sends messages without waiting. It is the part of a [Writer] that an
// event loop can use.
type TryWriter struct {
	to TrySender
	o  Options

	next   Header // of the next packet
	rest   []byte // what is unsent of the message
	unsent bool   // there is a next packet, even if rest is empty
	most   int    // so much of rest fits in a packet
	kept   []byte // memory for rest
	room   int    // so much of a message fits in the largest packet; unknown if 0

	header [HeaderSize]byte
	parts  [2][]byte
}

// A Writer sends messages, and waits for room.
type Writer struct {
	TryWriter
	to Sender
}

// NewTryWriter returns a TryWriter that sends to to. A nil o is the defaults.
func NewTryWriter(to TrySender, o *Options) *TryWriter {
	w := newTryWriter(to, o)
	return &w
}

// NewWriter returns a Writer that sends to to. A nil o is the defaults.
func NewWriter(to Sender, o *Options) *Writer {
	return &Writer{TryWriter: newTryWriter(to, o), to: to}
}

func newTryWriter(to TrySender, o *Options) TryWriter {
	if o == nil {
		o = &Options{}
	}
	w := TryWriter{to: to, o: Options{
		Chunk:   or(o.Chunk, DefaultChunk),
		Single:  or(o.Single, DefaultSingle),
		Message: int(min(int64(or(o.Message, DefaultMessage)), math.MaxUint32)),
	}}
	// The number tells Writers of all processes apart. Nobody is kept out by it, so it
	// need not be a secret; the generator is seeded by the kernel in each process.
	w.next.Sender = rand.Uint64()
	return w
}

// or returns n, or otherwise if n says nothing.
func or(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Pending returns how many bytes are unsent of the message that TrySend has begun.
func (w *TryWriter) Pending() int { return len(w.rest) }

// TrySend sends a message, or begins to. If the connection has no room for all of it,
// TrySend keeps a copy of the rest, which [TryWriter.TryFlush] sends, and returns nil:
// the message is on its way. It does not retain message.
//
// If there is an error, nothing of the message was sent. It is [ErrTooLong], or what
// the connection returned, as it is: uds.ErrFull if it had no room, or if there is
// still a rest of the message before.
func (w *TryWriter) TrySend(message []byte) error {
	if err := w.check(message); err != nil {
		return err
	}
	if err := w.TryFlush(); err != nil {
		return err
	}
	w.begin(message)
	err := w.TryFlush()
	switch {
	case err == nil:
		return nil
	case w.next.Offset == 0:
		w.end()
		return err
	}
	w.kept = append(w.kept[:0], w.rest...)
	w.rest = w.kept
	return nil
}

// TryFlush sends the rest of the message that TrySend has begun. If there is an error,
// which is the connection's, the rest is there still.
func (w *TryWriter) TryFlush() error {
	for w.unsent {
		parts, n := w.packet()
		_, err := w.to.TrySendv(parts...)
		if err := w.sent(n, err); err != nil {
			return err
		}
	}
	return nil
}

// Send sends a message, and waits for room until ctx ends. It does not retain
// message.
//
// If there is an error, which is ErrTooLong or the connection's, the message is not
// delivered. What the receiver has got of it is dropped there: the next message has
// another id.
func (w *Writer) Send(ctx context.Context, message []byte) error {
	if err := w.check(message); err != nil {
		return err
	}
	if err := w.Flush(ctx); err != nil {
		return err
	}
	w.begin(message)
	err := w.Flush(ctx)
	at := w.next.Offset
	w.end()
	if err != nil && at > 0 {
		return fmt.Errorf("chunk: %d of %d bytes sent: %w", at, len(message), err)
	}
	return err
}

// Flush is TryFlush that waits for room until ctx ends.
func (w *Writer) Flush(ctx context.Context) error {
	for w.unsent {
		parts, n := w.packet()
		_, err := w.to.Sendv(ctx, parts...)
		if err := w.sent(n, err); err != nil {
			return err
		}
	}
	return nil
}

func (w *TryWriter) check(message []byte) error {
	if len(message) > w.o.Message {
		return fmt.Errorf("%w: %d bytes, at most %d are possible", ErrTooLong, len(message), w.o.Message)
	}
	return nil
}

// begin makes message the one that is sent.
func (w *TryWriter) begin(message []byte) {
	w.next.ID++
	w.next.Total, w.next.Offset = uint32(len(message)), 0
	w.rest, w.unsent = message, true
	w.most = w.o.Chunk
	if len(message) <= w.o.Chunk {
		return
	}
	if w.room == 0 && !w.ask() {
		return // so will sending, which tells why
	}
	w.most = min(w.most, w.room)
	if len(message) <= min(w.o.Single, w.room) {
		w.most = len(message)
	}
}

// ask asks the connection how large a packet may be, and reports whether it knows.
func (w *TryWriter) ask() bool {
	n, err := w.to.MaxMessage()
	if err == nil {
		w.room = max(n-HeaderSize, 1)
	}
	return err == nil
}

// packet returns the parts of the next packet, and how much of the message is in it.
func (w *TryWriter) packet() (parts [][]byte, n int) {
	n = min(len(w.rest), w.most)
	w.parts[0] = w.next.Append(w.header[:0])
	w.parts[1] = w.rest[:n]
	return w.parts[:], n
}

// sent takes note of what became of a packet with n bytes of the message. If it was
// too large, the next one is smaller.
func (w *TryWriter) sent(n int, err error) error {
	if err != nil {
		if !errors.Is(err, syscall.EMSGSIZE) || !w.shrink(n) {
			return err
		}
		return nil
	}
	w.rest = w.rest[n:]
	w.next.Offset += uint32(n)
	if len(w.rest) == 0 {
		w.end()
	}
	return nil
}

// shrink makes packets have less than n bytes of the message, or reports that they
// have as little as can be. The buffer of the connection may be smaller than that, or
// the kernel may have no memory for so much at once.
func (w *TryWriter) shrink(n int) bool {
	switch {
	case w.ask() && w.room < n:
		w.most = min(w.room, w.o.Chunk)
	case n > w.o.Chunk:
		w.most = w.o.Chunk
	case n/2 >= leastChunk:
		w.most = n / 2
	default:
		return false
	}
	return true
}

// end forgets the message, be it sent or not.
func (w *TryWriter) end() {
	w.rest, w.unsent = nil, false
	w.parts = [2][]byte{}
	if cap(w.kept) > keep {
		w.kept = nil
	}
}

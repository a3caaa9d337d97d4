//go:build linux

package batch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A TryReceiver receives without waiting, as TryReceive of uds.Conn does: one packet,
// or bytes of a stream. An error that matches io.ErrShortBuffer says that the packet
// was longer than p, which has its beginning.
type TryReceiver interface {
	TryReceive(p []byte) (n int, err error)
}

// A Receiver can wait, too, as Receive of uds.Conn does.
type Receiver interface {
	TryReceiver
	Receive(ctx context.Context, p []byte) (n int, err error)
}

// A TryReader returns the records of what it receives without waiting. It is the
// part of a [Reader] that an event loop can use.
//
// It holds a buffer of the size of a batch. For a longer record on a stream there is
// another one, which grows to at most twice of what has arrived of it, whatever the
// record claims, and which goes when a record comes that does not need it.
type TryReader struct {
	from     TryReceiver
	kind     Kind
	max      int    // of a record
	base     []byte // the buffer
	buf      []byte // in use: base, or a larger one
	off, end int    // what is there
	cut      error  // why the packet in buf is not all there
}

// A Reader waits for records.
type Reader struct {
	TryReader
	from Receiver
}

// NewTryReader returns a TryReader that receives from from. A nil o is the defaults.
func NewTryReader(from TryReceiver, kind Kind, o *Options) *TryReader {
	r := newTryReader(from, kind, o)
	return &r
}

// NewReader returns a Reader that receives from from. A nil o is the defaults.
func NewReader(from Receiver, kind Kind, o *Options) *Reader {
	return &Reader{TryReader: newTryReader(from, kind, o), from: from}
}

func newTryReader(from TryReceiver, kind Kind, o *Options) TryReader {
	r := TryReader{from: from, kind: kind, max: o.max(), base: make([]byte, o.size())}
	if kind != Stream {
		r.max = math.MaxInt // the packet is the limit
	}
	r.buf = r.base
	return r
}

// Buffered returns the number of bytes, headers included, that were received and not
// returned yet. Until it is 0 there may be records that no poll(2) tells of.
func (r *TryReader) Buffered() int { return r.end - r.off }

// TryNext returns the next record, which is valid until the next call. It calls
// TryReceive if no record is at hand.
//
// At the end of the stream or of the connection it returns io.EOF, and
// io.ErrUnexpectedEOF if that is within a record. A record on a stream that claims to
// be longer than Max is [ErrTooLong], now and ever after. What is not a record in a
// packet is [ErrCorrupt], and the rest of a packet that was longer than the buffer
// matches io.ErrShortBuffer: then the records before it have been returned, and the
// next call goes on with the next packet.
//
// Other errors are the connection's, as they are: uds.ErrEmpty if nothing had come.
// Nothing is lost, and TryNext can be called again.
func (r *TryReader) TryNext() ([]byte, error) {
	for {
		if record, ok := r.take(); ok {
			return record, nil
		}
		p, err := r.room()
		if err != nil {
			return nil, err
		}
		n, err := r.from.TryReceive(p)
		if err := r.received(n, err); err != nil {
			return nil, err
		}
	}
}

// Next is TryNext that waits for a record until ctx ends. It does not look at ctx
// while records are at hand.
func (r *Reader) Next(ctx context.Context) ([]byte, error) {
	for {
		if record, ok := r.take(); ok {
			return record, nil
		}
		p, err := r.room()
		if err != nil {
			return nil, err
		}
		n, err := r.from.Receive(ctx, p)
		if err := r.received(n, err); err != nil {
			return nil, err
		}
	}
}

// take returns the record at off, if all of it is there.
func (r *TryReader) take() ([]byte, bool) {
	b := r.buf[r.off:r.end]
	if len(b) < HeaderSize {
		return nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-HeaderSize) || n > uint64(r.max) {
		return nil, false
	}
	next := HeaderSize + int(n)
	r.off += next
	return b[HeaderSize:next:next], true
}

// room returns where to receive to, when there is no record to take.
func (r *TryReader) room() ([]byte, error) {
	if r.kind == Stream {
		return r.roomForMore()
	}
	off, end, cut := r.off, r.end, r.cut
	r.off, r.end, r.cut = 0, 0, nil
	if cut != nil {
		return nil, fmt.Errorf("batch: record at byte %d: %w", off, cut)
	}
	if left := end - off; left >= HeaderSize {
		claim := binary.BigEndian.Uint32(r.buf[off:])
		return nil, fmt.Errorf("%w: record at byte %d claims %d bytes, %d follow", ErrCorrupt, off, claim, left-HeaderSize)
	} else if left > 0 {
		return nil, fmt.Errorf("%w: %d bytes at byte %d are no header", ErrCorrupt, left, off)
	}
	return r.buf, nil
}

// roomForMore is room on a stream: what has come of a record stays.
func (r *TryReader) roomForMore() ([]byte, error) {
	part := r.buf[r.off:r.end]
	need := HeaderSize // bytes, to get further
	if len(part) >= HeaderSize {
		claim := binary.BigEndian.Uint32(part)
		if uint64(claim) > uint64(r.max) {
			return nil, fmt.Errorf("%w: it claims %d bytes, Max is %d", ErrTooLong, claim, r.max)
		}
		need += int(claim)
	}
	switch {
	case need <= len(r.base):
		r.buf = r.base
	case len(part) == len(r.buf):
		r.buf = make([]byte, len(part)+min(len(part), need-len(part)))
	}
	r.off, r.end = 0, copy(r.buf, part)
	return r.buf[r.end:], nil
}

// received takes note of what Receive returned.
func (r *TryReader) received(n int, err error) error {
	if r.kind == Stream {
		r.end += n
		switch {
		case n > 0: // an error comes again
			return nil
		case err == nil:
			return io.ErrNoProgress
		case err == io.EOF && r.end > 0:
			return io.ErrUnexpectedEOF
		}
		return err
	}
	switch {
	case err == nil && n == 0:
		return fmt.Errorf("%w: it is empty", ErrCorrupt)
	case errors.Is(err, io.ErrShortBuffer):
		r.end, r.cut = n, err
		return nil
	case err == nil:
		r.end = n
	}
	return err
}

//go:build linux

package batch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// A TrySender sends without waiting, as TrySend of uds.Conn does: all of p, or
// nothing with an error, or on a stream the n bytes of p for which there was room,
// with an error. An error that matches EMSGSIZE says that a packet is too large.
//
// If it has a method MaxMessage() (int, error), as uds.Conn has, a writer of Packets
// makes no batch larger than that.
type TrySender interface {
	TrySend(p []byte) (n int, err error)
}

// A Sender can wait for room, too, as Send of uds.Conn does.
type Sender interface {
	TrySender
	Send(ctx context.Context, p []byte) (n int, err error)
}

// A TryWriter packs records, and sends them without waiting. It is the part of a
// [Writer] that an event loop can use. It holds a buffer of the size of a batch.
type TryWriter struct {
	to   TrySender
	kind Kind
	size int    // of a batch
	max  int    // of a record
	base []byte // the buffer
	buf  []byte // what is pending: base, or a larger one for a record beyond size
	off  int    // so much of buf is sent
}

// A Writer packs records, and waits for room to send them.
type Writer struct {
	TryWriter
	to Sender
}

// NewTryWriter returns a TryWriter that sends to to. A nil o is the defaults.
func NewTryWriter(to TrySender, kind Kind, o *Options) *TryWriter {
	w := newTryWriter(to, kind, o)
	return &w
}

// NewWriter returns a Writer that sends to to. A nil o is the defaults.
func NewWriter(to Sender, kind Kind, o *Options) *Writer {
	return &Writer{TryWriter: newTryWriter(to, kind, o), to: to}
}

func newTryWriter(to TrySender, kind Kind, o *Options) TryWriter {
	w := TryWriter{to: to, kind: kind, size: o.size(), max: o.max()}
	if kind != Stream {
		if c, ok := to.(interface{ MaxMessage() (int, error) }); ok {
			// If it fails, so will sending, which tells why.
			if n, err := c.MaxMessage(); err == nil {
				w.size = max(min(w.size, n), HeaderSize)
			}
		}
		w.max = w.size - HeaderSize
	}
	w.base = make([]byte, 0, w.size)
	w.buf = w.base
	return w
}

// Max returns the length of the longest record that Add takes, in bytes.
func (w *TryWriter) Max() int { return w.max }

// Buffered returns the number of bytes, headers included, that are not sent yet.
func (w *TryWriter) Buffered() int { return len(w.buf) - w.off }

// TryAdd adds a record, of which it keeps a copy. If there is no room for it in the
// batch, the batch is sent first.
//
// If there is an error, the record was not added, and all that had been added is
// sent or still pending: TryAdd can be called again. The error is [ErrTooLong], or
// what the connection returned, as it is: uds.ErrFull if it had no room.
func (w *TryWriter) TryAdd(record []byte) error {
	if w.put(record) {
		return nil
	}
	if err := w.check(record); err != nil {
		return err
	}
	return w.add(record, w.TryFlush())
}

// Add is TryAdd that waits for room until ctx ends. As long as there is room in the
// batch it does not look at ctx.
func (w *Writer) Add(ctx context.Context, record []byte) error {
	if w.put(record) {
		return nil
	}
	if err := w.check(record); err != nil {
		return err
	}
	return w.add(record, w.Flush(ctx))
}

// TryFlush sends what is pending. If there is an error, which is the connection's,
// what was not sent is still pending, and the next call goes on where this one
// stopped: on a stream that may be within a record.
//
// Should a batch be too large for a packet after all, because the buffer of the
// connection has shrunk or the kernel is short of memory, it is sent in smaller
// ones. A record that is too large by itself stays, and so do those behind it, until
// there is memory for it.
func (w *TryWriter) TryFlush() error {
	var err error
	for p := w.buf[w.off:]; len(p) > 0; {
		var n int
		n, err = w.to.TrySend(p)
		p, err = w.sent(p, n, err)
	}
	return err
}

// Flush is TryFlush that waits for room until ctx ends.
func (w *Writer) Flush(ctx context.Context) error {
	var err error
	for p := w.buf[w.off:]; len(p) > 0; {
		var n int
		n, err = w.to.Send(ctx, p)
		p, err = w.sent(p, n, err)
	}
	return err
}

// put adds a record if there is room for it.
func (w *TryWriter) put(record []byte) bool {
	b := w.buf
	if len(record) > min(w.max, w.size-HeaderSize-len(b)) {
		return false
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(record)))
	w.buf = append(b, record...)
	return true
}

func (w *TryWriter) check(record []byte) error {
	if len(record) > w.max {
		return fmt.Errorf("%w: %d bytes, at most %d are possible", ErrTooLong, len(record), w.max)
	}
	return nil
}

// add adds a record after a flush that ended with err. If part of the batch was
// sent, there may be room in spite of it.
func (w *TryWriter) add(record []byte, err error) error {
	pending := w.Buffered()
	if pending > 0 && len(record) <= w.size-HeaderSize-pending {
		w.buf = append(w.base, w.buf[w.off:]...)
		w.off = 0
	}
	if w.put(record) {
		return nil
	}
	if err != nil {
		return err
	}
	b := make([]byte, 0, HeaderSize+len(record))
	b = binary.BigEndian.AppendUint32(b, uint32(len(record)))
	w.buf = append(b, record...)
	return nil
}

// sent takes note that n bytes of p were sent, and returns what to send next: nothing
// at the end, and after an error.
func (w *TryWriter) sent(p []byte, n int, err error) ([]byte, error) {
	w.off += n
	if w.off == len(w.buf) {
		w.buf, w.off = w.base, 0
		return nil, err
	}
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		if w.kind == Stream || !errors.Is(err, syscall.EMSGSIZE) {
			return nil, err
		}
		part := half(p)
		if len(part) == len(p) {
			return nil, err
		}
		return part, nil
	}
	return w.buf[w.off:], nil
}

// half returns the records at the beginning of p that make up no more than half of
// it, or else the first one.
func half(p []byte) []byte {
	n := 0
	for {
		next := n + HeaderSize + int(binary.BigEndian.Uint32(p[n:]))
		if n > 0 && next > len(p)/2 {
			return p[:n]
		}
		if next == len(p) {
			return p
		}
		n = next
	}
}

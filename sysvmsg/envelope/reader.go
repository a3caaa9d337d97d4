//go:build linux

package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A Record is a message in a Journal.
type Record struct {
	Offset  int64 // of its first byte, from where the reading began
	Done    bool  // MarkDone was called
	Type    sysvmsg.Type
	Time    time.Time // when it was put there
	Reason  string    // why
	Message []byte    // as it was received; aliases the buffer of a JournalReader
}

// MarkDone writes to the file, which was read from its beginning, that the message
// is dealt with. It changes one byte, in place.
func (r Record) MarkDone(file io.WriterAt) error {
	if _, err := file.WriteAt([]byte{1}, r.Offset+doneOffset); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	return nil
}

// readSize is what a JournalReader asks for at once, in bytes.
const readSize = 1 << 16

// A JournalReader reads the records of a Journal. Its buffer grows to twice the
// largest record that is really there, whatever a length claims.
type JournalReader struct {
	r       io.Reader
	buf     []byte // read and not yet passed over
	off     int64  // of buf
	damaged int64  // bytes before off that are no record, and not yet told of
	err     error  // of r
}

// NewJournalReader returns a reader of the records from r.
func NewJournalReader(r io.Reader) *JournalReader { return &JournalReader{r: r} }

// Next returns the next record, whose Message is valid until the next call, and
// io.EOF behind the last one. Bytes that are no record, such as one that was cut by a
// full disk, are an error that matches ErrCorrupt and says where they are; reading
// goes on behind them with the next call. A record that is just being written looks
// the same. Other errors are the source's, and final.
func (r *JournalReader) Next() (Record, error) {
	for {
		rec, n, ok := r.record()
		switch {
		case r.damaged > 0 && (ok || len(r.buf) == 0):
			err := fmt.Errorf("envelope: %d bytes at offset %d are no record: %w", r.damaged, r.off-r.damaged, ErrCorrupt)
			r.damaged = 0
			return Record{}, err
		case ok:
			rec.Offset = r.off
			r.pass(n)
			return rec, nil
		case r.err != nil && r.err != io.EOF:
			return Record{}, fmt.Errorf("envelope: %w", r.err)
		case len(r.buf) == 0:
			return Record{}, io.EOF
		}
		n = 1 + bytes.IndexByte(r.buf[1:], byte(recordMagic>>24))
		if n == 0 {
			n = len(r.buf)
		}
		r.damaged += int64(n)
		r.pass(n)
	}
}

// All returns an iterator over what Next returns, io.EOF excepted. It goes on after
// ErrCorrupt, and ends after other errors.
func (r *JournalReader) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			rec, err := r.Next()
			if err == io.EOF || !yield(rec, err) || err != nil && !errors.Is(err, ErrCorrupt) {
				return
			}
		}
	}
}

// record returns the record that the bytes in hand begin with, and its size.
func (r *JournalReader) record() (rec Record, n int, ok bool) {
	if !r.fill(recordHeader) {
		return Record{}, 0, false
	}
	if n, ok = recordSize(r.buf); !ok || !r.fill(n) {
		return Record{}, 0, false
	}
	rec, ok = parseRecord(r.buf[:n])
	return rec, n, ok
}

// fill reads until there are n bytes in hand, and reports whether there are.
func (r *JournalReader) fill(n int) bool {
	for len(r.buf) < n && r.err == nil {
		if cap(r.buf)-len(r.buf) < readSize {
			r.buf = append(make([]byte, 0, 2*len(r.buf)+2*readSize), r.buf...)
		}
		var m int
		m, r.err = r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+m]
	}
	return len(r.buf) >= n
}

// pass moves behind n bytes, which stay where they are until the next fill.
func (r *JournalReader) pass(n int) {
	r.buf = r.buf[n:]
	r.off += int64(n)
}

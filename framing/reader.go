package framing

import (
	"io"
	"iter"
)

// A Reader cuts frames out of the stream that it reads from an [io.Reader]: the
// pull side of the package. It reads ahead, but never while a whole frame is in
// hand; its methods block as long as the underlying Read does.
//
// Its buffer follows the bytes received, 4 KiB at first; one over 64 KiB goes as
// soon as the frame that needed it does. A Reader is used by one goroutine at a
// time. It comes from NewReader, or is made ready by Reset.
type Reader struct {
	Splitter Splitter // finds the boundaries; to change it, call Use
	Max      int      // limit on a whole frame, in bytes; DefaultMax if 0 or less; a change counts from the next call on
	Discard  bool     // report an oversize frame, skip it, and go on

	slow bool // something other than a frame's first byte comes next
	cursor
	source
}

// NewReader returns a Reader that cuts what it reads from rd at the boundaries s
// finds.
func NewReader(rd io.Reader, s Splitter) *Reader {
	return &Reader{Splitter: s, source: source{rd: rd}}
}

// Next returns the next frame, reading as long as that takes. The frame is the
// caller's, to read or to change, until the next use of r; its capacity is its
// length.
//
// The error is [io.EOF] only where a frame could begin, and
// [io.ErrUnexpectedEOF] inside one, whose bytes Buffered still shows. Other
// errors of the underlying reader are returned once, with nothing lost: after
// an expired deadline Next can be called again.
//
// Broken framing is an [*Error]. It is remembered: each later call returns it
// and takes nothing. Only [ErrTooLong] with Discard set is returned once for its
// frame, and the next call goes on behind it; that needs a frame that told its
// length, or a Splitter that is a [Resyncer].
func (r *Reader) Next() ([]byte, error) {
	if r.slow || r.left == 0 {
		return r.read()
	}
	w := r.bytes()
	if limit := limitOf(r.Max); len(w) > limit {
		w = w[:limit]
	}
	n, err := r.Splitter.Split(w, 0)
	if err == nil && 0 < n && n <= len(w) {
		r.left -= n
		return w[:n:n], nil
	}
	if err := r.refuse(w, n, err); err != nil {
		return nil, err
	}
	return r.read()
}

// refuse keeps what Split said of w, which was not a whole frame.
func (r *Reader) refuse(w []byte, n int, err error) error {
	r.off = r.offset()
	err = r.judge(r.Splitter, limitOf(r.Max), r.Discard, w, n, err)
	r.settle()
	return err
}

// settle chooses the way on: the fast one if a frame begins here of which
// nothing is known yet.
func (r *Reader) settle() {
	r.slow = r.seen|r.need != 0 || r.skip != nil || r.err != nil
}

// read is Next where more bytes have to come first.
func (r *Reader) read() ([]byte, error) {
	defer r.settle()
	limit := limitOf(r.Max)
	if err := r.pass(limit); err != nil {
		return nil, err
	}
	r.off = r.offset()
	for {
		if data := r.bytes(); len(data) > 0 {
			n, err := r.next(r.Splitter, limit, r.Discard, data)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				r.left -= n
				return data[:n:n], nil
			}
		}
		if err := r.fill(r.need, limit); err != nil {
			return nil, r.ended(err)
		}
	}
}

// pass reads over the frame that is being skipped, if there is one.
func (r *Reader) pass(limit int) error {
	for r.err == nil && r.skip != nil {
		if data := r.bytes(); len(data) > 0 {
			r.left -= r.drop(limit, data)
		}
		if r.skip == nil || r.err != nil {
			break
		}
		if err := r.fill(0, limit); err != nil {
			return r.ended(err)
		}
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// ended tells an end inside a frame from one between frames.
func (r *Reader) ended(err error) error {
	if err == io.EOF && (r.skip != nil || len(r.bytes()) > 0) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// All yields what Next returns until the stream ends. [io.EOF] ends the loop
// silently; every other error is yielded with a nil frame, and ends it unless
// Next can go on behind an oversize frame. The loop may be left and begun again,
// and its body may use r, Next and another loop included: each frame comes once.
func (r *Reader) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		goesOn := true
		for {
			var frame []byte
			var err error
			if !r.slow && r.left > 0 {
				rest := r.bytes()
				w, limit := rest, limitOf(r.Max)
				if len(w) > limit {
					w = w[:limit]
				}
				n, e := r.Splitter.Split(w, 0)
				if e == nil && 0 < n && n <= len(w) {
					frame = w[:n:n]
					r.left -= n
				} else {
					err = r.refuse(w, n, e)
				}
			}
			if frame == nil && err == nil {
				frame, err = r.read()
			}
			if err != nil {
				if err == io.EOF {
					return
				}
				goesOn = r.skips(err)
			}
			if !yield(frame, err) || err != nil && !goesOn {
				return
			}
		}
	}
}

// Buffered returns the bytes that were read and not cut: the unfinished frame, or
// what belongs to the next protocol if there is one. The slice is valid until
// the next use of r.
func (r *Reader) Buffered() []byte {
	data := r.bytes()
	return data[:len(data):len(data)]
}

// Use cuts all bytes that no frame has been cut of at the boundaries s finds, from
// the next frame on. An oversize frame that is being skipped is skipped to its
// end first, by the rules that found it. A final error stays.
func (r *Reader) Use(s Splitter) {
	r.Splitter = s
	r.seen, r.need = 0, 0
	r.settle()
}

// Offset returns the number of bytes that were cut, skipped or read: the place
// of the next frame in the stream.
func (r *Reader) Offset() int64 { return r.offset() }

// Reset makes r as new, for the stream of rd; Splitter, Max and Discard stay. A
// loop over All goes on with that stream, unless this is its last turn.
func (r *Reader) Reset(rd io.Reader) {
	buf := r.buf
	if len(buf) > keepCap {
		buf = nil
	}
	*r = Reader{Splitter: r.Splitter, Max: r.Max, Discard: r.Discard, source: source{rd: rd, buf: buf}}
}

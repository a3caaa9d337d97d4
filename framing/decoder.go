package framing

import (
	"bytes"
	"io"
	"iter"
)

// keepCap is the largest buffer that is kept for the next frame.
const keepCap = 64 << 10 // bytes

// A Decoder cuts frames out of the byte slices it is fed, as a reactor's
// callback gets them: the push side of the package. A frame that lies in one fed
// slice is a view of that slice; only one that straddles two is copied.
//
// It holds no memory while no frame is unfinished, and never more than
// twice the bytes received of one. A Decoder is used by one goroutine at a time.
type Decoder struct {
	Splitter Splitter // finds the boundaries; change it with Use
	Max      int      // limit on a whole frame, in bytes; DefaultMax if 0 or less
	Discard  bool     // report an oversize frame, skip it, and go on

	busy  bool // a loop over Frames is running
	slow  bool // something other than a frame's first byte comes next
	used  bool // the running loop began inside a frame
	owned bool // what the running loop cuts lies in memory of d
	told  bool // the running loop has yielded the final error
	cursor
	buf  []byte // unfinished frame, or what a loop left behind; owned
	fed  []byte // what the running loop cuts, from off on
	left int    // bytes at the end of fed that it has not reached
}

// NewDecoder returns a Decoder that cuts at the boundaries s finds.
func NewDecoder(s Splitter) *Decoder { return &Decoder{Splitter: s} }

// Frames feeds p and yields the frames that it completes. Range over the
// result exactly once: p is fed when the loop runs, so no loop loses p and two
// loops feed it twice.
//
// A frame is the loop's until its next turn, to read or to change, and until
// the next use of d after a break; its capacity is its length. It may lie in p.
// Frames does not retain p. After a break the bytes not yet cut are kept, and
// come first in the next call, which may feed nothing.
//
// An error is yielded as an [*Error] with a nil frame. It ends the loop and is
// remembered: each later call yields it again and takes nothing. Only
// [ErrTooLong] with Discard set is reported once for its frame, and the loop
// goes on behind it; that needs a frame that told its length, or a Splitter that
// is a [Resyncer].
//
// Feeding d from inside its own loop panics. So does any use after a panic in
// the loop, until Reset.
func (d *Decoder) Frames(p []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		rest := d.begin(p)
		for limit := limitOf(d.Max); ; {
			var frame []byte
			var err error
			if !d.slow {
				w := rest
				if len(w) > limit {
					w = w[:limit]
				} else if len(w) == 0 {
					break
				}
				n, e := d.Splitter.Split(w, 0)
				if e == nil && 0 < n && n <= len(rest) && n <= limit {
					frame, rest = rest[:n:n], rest[n:]
				} else if err = d.refuse(rest, w, n, e, limit); err == nil {
					if d.slow {
						continue
					}
					break
				}
			} else if !d.busy {
				return
			} else if frame, rest, err = d.step(rest, limit); frame == nil && err == nil {
				break
			}
			d.left = len(rest)
			if !yield(frame, err) {
				d.pause(rest)
				return
			}
		}
		d.finish(rest)
	}
}

// Buffered returns the bytes that were fed and not cut: the unfinished frame, or
// what a loop has not reached, which belongs to the next protocol if there is
// one. The slice is valid until the next use of d.
func (d *Decoder) Buffered() []byte {
	rest := d.fed[len(d.fed)-d.left:]
	switch {
	case len(d.buf) == 0:
		return rest[:len(rest):len(rest)]
	case len(rest) == 0:
		return d.buf[:len(d.buf):len(d.buf)]
	}
	return append(bytes.Clone(d.buf), rest...)
}

// Use cuts all bytes that no frame has been cut of at the boundaries s finds. It
// may be called from inside the loop, and takes effect with the next frame. So
// does a Max that was set before it; without Use, a lower Max may not be noticed
// before the loop's end.
func (d *Decoder) Use(s Splitter) {
	d.Splitter = s
	d.seen, d.need = 0, 0
	d.slow = true
}

// Offset returns the number of bytes that were cut or skipped: the place of the
// next frame in the stream.
func (d *Decoder) Offset() int64 { return d.off + int64(len(d.fed)-d.left) }

// Close tells how the stream ended, if this is its end: nil on a boundary,
// [io.ErrUnexpectedEOF] inside a frame or before bytes that were not cut,
// otherwise the final error. It changes nothing and may be repeated.
func (d *Decoder) Close() error {
	switch {
	case d.err != nil:
		return d.err
	case d.skip != nil || len(d.buf) > 0 || d.left > 0:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Reset makes d as new, for another stream; Splitter, Max and Discard stay.
// Called from inside the loop it ends the loop, and drops what was fed.
func (d *Decoder) Reset() {
	buf := d.buf[:0]
	if cap(buf) > keepCap {
		buf = nil
	}
	*d = Decoder{Splitter: d.Splitter, Max: d.Max, Discard: d.Discard, slow: true, buf: buf}
}

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
// It holds no memory until a frame straddles, and then at most twice the bytes
// received of it, or 64 KiB, and Max at most. When the frame is complete 64 KiB
// may stay for the next one, until a loop passes without need of them. After a
// break, or a final error, it holds all that was fed and not cut. A Decoder is
// used by one goroutine at a time. Splitter must be set.
type Decoder struct {
	Splitter Splitter // finds the boundaries; to change it, call Use
	Max      int      // limit on a whole frame, in bytes; DefaultMax if 0 or less; changed inside a loop, it counts once Use was called there, else from the next loop on
	Discard  bool     // report an oversize frame, skip it, and go on

	slow   bool   // something other than a frame's first byte comes next
	phase  phase  // of the loop over Frames
	origin origin // of what it cuts
	turn   uint32 // changes when a loop begins, and with Reset
	cursor
	buf  []byte // unfinished frame, or what a loop left behind; owned
	fed  []byte // what the running loop cuts, from off on; else see pause
	left int    // bytes at the end of fed that it has not reached
}

// A phase is that of a Decoder's loop.
type phase uint8

const (
	idle    phase = iota // no loop is running
	running              // one is, with the Max that it began with
	renewed              // one is, and Use made it take the Max of now
	ended                // one is, and has yielded the final error
)

// An origin is that of the bytes that a loop cuts.
type origin uint8

const (
	given    origin = iota // all were fed
	straddle               // those of an unfinished frame come first
	kept                   // all lie in the array of Decoder.buf, behind what an earlier loop left
)

// NewDecoder returns a Decoder that cuts at the boundaries s finds.
func NewDecoder(s Splitter) *Decoder { return &Decoder{Splitter: s} }

// Frames feeds p and yields the frames that it completes. P is fed when the loop
// runs, so range over the result exactly once: without a loop p is lost, and a
// second one feeds it again.
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
// Calling Frames from inside its own loop, or after a panic in one, panics until
// Reset; so long p is held, too.
func (d *Decoder) Frames(p []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		rest, turn := d.begin(p)
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
					break
				}
			} else if frame, rest, err = d.step(rest, limit); frame == nil && err == nil {
				break
			}
			d.left = len(rest)
			if !yield(frame, err) {
				d.pause(rest, turn)
				return
			}
			if d.turn != turn {
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
// may be called from inside the loop, and takes effect with the next frame, as
// does a Max that was set before. An oversize frame that is being skipped is
// skipped to its end first, by the rules that found it. A final error stays.
func (d *Decoder) Use(s Splitter) {
	d.Splitter = s
	d.seen, d.need = 0, 0
	if d.phase == running {
		d.phase, d.slow = renewed, true
	}
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
	*d = Decoder{Splitter: d.Splitter, Max: d.Max, Discard: d.Discard, slow: true, turn: d.turn + 1, buf: buf}
}

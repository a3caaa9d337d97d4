package framing

import "bytes"

const (
	minPiece  = 64  // bytes: least that is copied behind an unfinished frame
	skipPiece = 512 // bytes: as much, behind what a Resyncer wants to see again
)

// begin starts a loop over p. It returns the bytes to cut, and the loop's turn.
// What an earlier loop left behind comes before p.
func (d *Decoder) begin(p []byte) (rest []byte, turn uint32) {
	if d.phase != idle {
		panic("framing: Decoder.Frames called from inside its own loop")
	}
	d.phase = running
	d.turn++
	d.origin = given
	if len(d.buf) > 0 {
		d.origin = straddle
	}
	switch {
	case d.err != nil:
		p = nil
	case d.seen == 0 && d.need == 0 && len(d.buf) > 0 && (d.skip == nil || len(d.buf) > skipPiece):
		p = d.join(p)
	}
	d.fed, d.left = p, len(p)
	d.settle()
	return p, d.turn
}

// join returns what an earlier loop left behind with p behind it. d.buf is then
// empty, at the start of the array that both lie in.
func (d *Decoder) join(p []byte) []byte {
	joined := append(d.buf, p...)
	start := d.fed
	if cap(start) == 0 || cap(joined) != cap(d.buf) {
		start = joined // another array
	}
	d.buf, d.origin = start[:0], kept
	return joined
}

// settle chooses the way on: the fast one if a frame begins where the loop is,
// and the loop's limit still counts.
func (d *Decoder) settle() {
	d.slow = d.err != nil || d.skip != nil || len(d.buf) > 0 || d.phase == renewed
}

// finish ends a loop that came to its end: rest is kept for the next one. A
// buffer goes when it is much too large for what it is to hold, or empty and of
// no use in this loop. Rest may lie in it.
func (d *Decoder) finish(rest []byte) {
	d.reach(rest)
	have := len(d.buf) + len(rest)
	if have == 0 && d.origin == given || cap(d.buf) > max(keepCap, 2*have) {
		d.buf = bytes.Clone(d.buf)
	}
	d.keep(rest)
	d.close(nil)
}

// pause ends the loop of that turn, left by break, while the caller still holds a
// frame, which may lie in d.buf. What an earlier loop left behind stays where it
// is as long as less than that was cut before it in its array: so breaking again
// and again costs no more than going through. Then d.fed has the array's start.
func (d *Decoder) pause(rest []byte, turn uint32) {
	if d.turn != turn {
		return
	}
	d.reach(rest)
	if d.origin == kept && len(d.buf) == 0 && cap(d.buf)-cap(rest) < len(rest) {
		start := d.buf
		d.buf = rest
		d.close(start)
		return
	}
	d.buf = append(bytes.Clone(d.buf), rest...)
	d.close(nil)
}

// close leaves the loop. The next one settles anew.
func (d *Decoder) close(start []byte) {
	d.fed, d.left, d.phase, d.slow = start, 0, idle, true
}

// reach notes that the loop has come to rest: what is before it was cut.
func (d *Decoder) reach(rest []byte) {
	d.off += int64(len(d.fed) - len(rest))
	d.fed, d.left = rest, len(rest)
}

// refuse keeps what Split said of w, which was not a whole frame within limit.
func (d *Decoder) refuse(rest, w []byte, n int, err error, limit int) error {
	d.reach(rest)
	err = d.judge(d.Splitter, limit, d.Discard, w, n, err)
	d.told()
	return err
}

// told notes what a turn has come to.
func (d *Decoder) told() {
	if d.err != nil {
		d.phase = ended
	}
	d.settle()
}

// step finds the next frame or error when bytes in d.buf come first, a frame is
// being skipped, or Max is not what limit was made of. It returns neither when
// there is nothing more to look at, or the final error was told.
func (d *Decoder) step(rest []byte, limit int) (frame, after []byte, err error) {
	if d.phase == ended {
		return nil, rest, nil
	}
	if d.phase == renewed {
		limit = limitOf(d.Max)
	}
	d.reach(rest)
	frame, rest, err = d.look(rest, limit)
	d.fed = rest
	d.told()
	return frame, rest, err
}

// look is step without the bookkeeping.
func (d *Decoder) look(rest []byte, limit int) (frame, after []byte, err error) {
	for d.err == nil {
		old, added, data := len(d.buf), 0, rest
		if old > 0 {
			added = d.borrow(rest, limit)
			data = d.buf
		}
		if len(data) == 0 {
			return nil, rest, nil
		}
		all := old == 0 || added == len(rest)
		if d.skip != nil {
			n := d.drop(limit, data)
			rest = d.advance(rest, n, old, added)
			if d.skip != nil && all && d.err == nil {
				return nil, rest, nil
			}
			continue
		}
		n, err := d.next(d.Splitter, limit, d.Discard, data)
		rest = d.advance(rest, n, old, added)
		if n > 0 {
			return data[:n:n], rest, nil
		}
		if err != nil || all {
			return nil, rest, err
		}
	}
	return nil, rest, d.err
}

// borrow copies a piece of rest behind the bytes in d.buf and returns its size:
// what the frame needs if that is known, otherwise as much again as is there, so
// that little is copied in vain and nothing is searched twice.
func (d *Decoder) borrow(rest []byte, limit int) int {
	n := len(d.buf)
	switch {
	case d.skip != nil:
		n = skipPiece
	case d.need > 0:
		n = d.need - n
	default:
		n = min(max(n, minPiece), limit-n)
	}
	n = min(max(n, 0), len(rest))
	d.keep(rest[:n])
	return n
}

// advance moves over n bytes of what was looked at: rest, or d.buf when it had
// old bytes and added ones of rest were copied behind them.
func (d *Decoder) advance(rest []byte, n, old, added int) []byte {
	switch {
	case old == 0:
		return rest[n:]
	case n == 0:
		return rest[added:]
	case n < old:
		left := d.buf[n:]
		d.fed = d.buf[:0] // where join finds the start
		d.buf = left
		return d.join(rest[added:])
	}
	d.buf = d.buf[:0]
	return rest[n-old:]
}

// keep appends p to d.buf, whose capacity follows the bytes received: at most
// doubling, and not beyond what the frame can need. Behind a final error nothing
// comes any more.
func (d *Decoder) keep(p []byte) {
	if n := len(d.buf) + len(p); n > cap(d.buf) {
		bound := limitOf(d.Max)
		switch {
		case d.err != nil:
			bound = n
		case d.need > 0:
			bound = d.need
		}
		size := max(n, min(max(minPiece, 2*n), bound))
		d.buf = append(make([]byte, 0, size), d.buf...)
	}
	d.buf = append(d.buf, p...)
}

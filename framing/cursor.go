package framing

import "errors"

// A cursor walks a stream frame by frame: where the next frame begins, how much
// of it has been looked at, which frame is being skipped, and what ended it
// all. It is what Decoder and Reader share. It owns no bytes: each call is shown
// the bytes in hand from off on.
type cursor struct {
	off  int64  // of the next frame's first byte in the stream
	seen int    // bytes of that frame that Split found too few
	need int    // length of that frame, once Split has told it
	skip *skip  // the oversize frame that is being thrown away
	err  *Error // final
}

// A skip throws away what is left of an oversize frame: a number of bytes, or
// whatever comes before the boundary that a Resyncer finds.
type skip struct {
	err    *Error // told of it
	left   uint64
	resync Resyncer
	begun  bool // some of it is gone
}

// maxLookback bounds what a Resyncer may leave in hand where Max is smaller.
const maxLookback = 4096 // bytes

// next returns the length of the frame that data begins with, and moves behind
// it. It returns 0 if data, which is not empty, is too short to hold it.
func (c *cursor) next(s Splitter, limit int, discard bool, data []byte) (int, error) {
	if c.need > limit { // which has been lowered
		return 0, c.judge(s, limit, discard, data[:min(len(data), headLen)], c.need, nil)
	}
	if c.need > 0 {
		if c.need > len(data) {
			return 0, nil
		}
		return c.take(c.need), nil
	}
	if c.seen == len(data) && len(data) < limit {
		return 0, nil
	}
	w := data[:min(len(data), limit)]
	n, err := s.Split(w, min(c.seen, len(w)))
	if err == nil && 0 < n && n <= len(w) {
		return c.take(n), nil
	}
	return 0, c.judge(s, limit, discard, w, n, err)
}

// take moves behind a frame of n bytes.
func (c *cursor) take(n int) int {
	c.off += int64(n)
	c.seen, c.need = 0, 0
	return n
}

// judge keeps what Split said of w, the bytes in hand up to limit, when it was
// not a whole frame: nil if more bytes are needed, or an error.
func (c *cursor) judge(s Splitter, limit int, discard bool, w []byte, n int, err error) error {
	var size uint64
	switch {
	case err != nil:
		size, err = claimed(err)
	case n < 0:
		err = ErrCorrupt
	case n > limit:
		size, err = uint64(n), ErrTooLong
	case n == 0 && len(w) >= limit:
		err = ErrTooLong
	case n == 0:
		c.seen = len(w)
		return nil
	default:
		c.need = n
		return nil
	}
	e := &Error{Offset: c.off, Size: size, Head: head(s, w), Err: err}
	c.fail(s, limit, discard, e)
	return e
}

// claimed returns the length of the frame that a Splitter's error tells, 0 if it
// tells none, and the error without what the cursor's own is going to say.
func claimed(err error) (uint64, error) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, err
	}
	if e.Err == nil {
		return e.Size, ErrTooLong // it said no more than a size
	}
	if err == error(e) { //nolint:errorlint // the error itself, not one that it wraps
		return e.Size, e.Err
	}
	return e.Size, err
}

// fail makes e final, unless it is an oversize frame that can be skipped.
func (c *cursor) fail(s Splitter, limit int, discard bool, e *Error) {
	c.seen, c.need = 0, 0
	if errors.Is(e.Err, ErrTooLong) {
		if e.Size == 0 || e.Size > uint64(limit) {
			e.Max = limit
		}
		resync, ok := s.(Resyncer)
		switch {
		case !discard:
		case e.Size > 0:
			c.skip = &skip{err: e, left: e.Size}
			return
		case ok:
			c.skip = &skip{err: e, resync: resync}
			return
		}
	}
	c.err = e
}

// skips reports whether err told of an oversize frame that is being skipped, so
// that the stream goes on behind it.
func (c *cursor) skips(err error) bool {
	if c.skip == nil {
		return false
	}
	var e *Error
	return errors.As(err, &e) && e == c.skip.err
}

// head returns the fewest first bytes of w on which s decides as it does on all
// of w, at most headLen, so that the error tells the same whatever w holds
// beyond them.
func head(s Splitter, w []byte) string {
	w = w[:min(len(w), headLen)]
	for k := 1; k < len(w); k++ {
		if n, err := s.Split(w[:k], 0); n != 0 || err != nil {
			return string(w[:k])
		}
	}
	return string(w)
}

// drop returns how many bytes of data, which is inside the frame being skipped,
// are to be thrown away. The skip is over when c.skip is nil; until then what is
// left of data must come again at the front of the next call's.
func (c *cursor) drop(limit int, data []byte) int {
	s, k, done := c.skip, 0, false
	if s.resync == nil {
		k = int(min(s.left, uint64(len(data))))
		s.left -= uint64(k)
		done = s.left == 0
	} else {
		k, done = s.resync.Resync(data)
		k = min(max(k, 0), len(data))
	}
	c.off += int64(k)
	s.begun = s.begun || k > 0
	switch {
	case done && !s.begun:
		c.err, c.skip = s.err, nil // the next frame would be the same one
	case done:
		c.skip = nil
	case len(data)-k > max(limit, maxLookback):
		c.err, c.skip = &Error{Offset: c.off, Max: limit, Err: ErrTooLong}, nil
	}
	return k
}

// limitOf returns the limit that a field Max stands for.
func limitOf(limit int) int {
	if limit <= 0 {
		return DefaultMax
	}
	return limit
}

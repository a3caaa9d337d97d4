package eof

import (
	"errors"
	"fmt"
)

// ErrDelimiter says that a payload cannot be framed: together with the delimiter
// behind it, it would be split in another place, or lose bytes of its own.
var ErrDelimiter = errors.New("delimiter in payload")

// AppendFrame appends payload and a delimiter to dst and returns the extended
// slice, as append does: the delimiter that New was given first, the first byte
// of the set of Any, or LF. It retains neither slice; they must not overlap.
//
// What it appends, [Codec.Split] takes for one whole frame, whose
// [Codec.Payload] is payload. Where that cannot be, AppendFrame returns dst as
// it was and an error that wraps [ErrDelimiter] and tells at which byte of
// payload the disturbing delimiter begins. Payload may have all of that
// delimiter, or the part that the appended one makes whole: "a" cannot be framed
// by "aa", nor a line that ends with CR by LF.
//
// A first delimiter that has another one inside can end no frame, so no payload
// is accepted then.
func (c *Codec) AppendFrame(dst, payload []byte) ([]byte, error) {
	out := append(append(dst, payload...), c.mark...)
	frame := out[len(dst):]
	n, _ := c.Split(frame, 0)
	tail := c.tail(frame[:n])
	if n != len(frame) || tail != len(c.mark) {
		at := n - tail
		return dst, fmt.Errorf("eof: %w: %q at byte %d", ErrDelimiter, frame[at:n], at)
	}
	return out, nil
}

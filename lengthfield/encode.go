package lengthfield

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/plait-go/plait/framing"
)

// AppendFrame appends a frame to dst and returns the extended slice: Offset zero
// bytes, the length field, and payload, which holds all that follows the field,
// a trailer as well. It implements [framing.Appender]: neither slice is
// retained, and they must not overlap.
//
// On error it returns dst as it was. The error wraps [framing.ErrTooLong] if the
// field or an int cannot hold the length, and [framing.ErrCorrupt] if Body
// counts more bytes than the frame would have.
func (c *Codec) AppendFrame(dst, payload []byte) ([]byte, error) {
	length, width, err := c.measure(uint64(len(payload)))
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = slices.Grow(dst, c.offset+width+len(payload))[:start+c.offset]
	clear(dst[start:])
	return append(c.appendField(dst, length), payload...), nil
}

// AppendHeader appends the header of a frame that n bytes are to follow, and
// returns the extended slice. Write the n bytes behind it, or apart from it with
// [net.Buffers]; AppendHeader makes no room for them.
//
// The header has room for the length field, so it is Offset plus width bytes
// long at least; what the room contains does not matter. A varint's width
// depends on its value: it needs no room but is inserted at Offset, and the
// header is Offset bytes long at least. AppendHeader neither changes nor retains
// header, which must not overlap dst.
//
// On error it returns dst as it was. The error is one of AppendFrame's, or says
// that header is too short or n negative.
func (c *Codec) AppendHeader(dst, header []byte, n int) ([]byte, error) {
	if len(header) < c.head {
		return dst, fmt.Errorf("lengthfield: header of %d bytes, %d needed", len(header), c.head)
	}
	if n < 0 {
		return dst, fmt.Errorf("lengthfield: header for %d bytes", n)
	}
	rest := header[c.head:]
	length, width, err := c.measure(uint64(len(rest)) + uint64(n))
	if err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, c.offset+width+len(rest))
	dst = append(dst, header[:c.offset]...)
	return append(c.appendField(dst, length), rest...), nil
}

// measure returns the value and the width of a length field that rest bytes
// follow. Rest is less than twice the greatest int.
func (c *Codec) measure(rest uint64) (length uint64, width int, err error) {
	switch c.kind {
	case unset:
		return 0, 0, errUnset
	case varint:
		width = (bits.Len64(rest|1) + 6) / 7
		if width > c.max || rest > math.MaxInt-uint64(c.offset+width) {
			return 0, 0, fmt.Errorf("lengthfield: %w: %d bytes behind a varint of at most %d", framing.ErrTooLong, rest, c.max)
		}
		return rest, width, nil
	}
	size := uint64(c.head) + rest
	length = size - uint64(c.body)
	if length-c.low > c.span {
		return 0, 0, c.unfit(size)
	}
	return length, c.head - c.offset, nil
}

// unfit returns the error for a frame of size bytes that has no length.
func (c *Codec) unfit(size uint64) error {
	if c.body > 0 && size < uint64(c.body) {
		return fmt.Errorf("lengthfield: %w: it would have %d bytes, Body counts %d", framing.ErrCorrupt, size, c.body)
	}
	return fmt.Errorf("lengthfield: %w: %d bytes have length %d, the greatest is %d",
		framing.ErrTooLong, size, size-uint64(c.body), c.low+c.span)
}

// appendField appends length as the field holds it.
func (c *Codec) appendField(dst []byte, length uint64) []byte {
	switch c.kind {
	case big32:
		return binary.BigEndian.AppendUint32(dst, uint32(length))
	case big16:
		return binary.BigEndian.AppendUint16(dst, uint16(length))
	case big24:
		return append(dst, byte(length>>16), byte(length>>8), byte(length))
	case big64:
		return binary.BigEndian.AppendUint64(dst, length)
	case little16:
		return binary.LittleEndian.AppendUint16(dst, uint16(length))
	case little24:
		return append(dst, byte(length), byte(length>>8), byte(length>>16))
	case little32:
		return binary.LittleEndian.AppendUint32(dst, uint32(length))
	case little64:
		return binary.LittleEndian.AppendUint64(dst, length)
	case single:
		return append(dst, byte(length))
	}
	return binary.AppendUvarint(dst, length)
}

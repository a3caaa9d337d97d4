package lengthfield

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/plait-go/plait/framing"
)

// errUnset says that a Codec has no format.
var errUnset = errors.New("lengthfield: Codec is not from New or Varint")

// A Codec cuts and writes the frames of one format. It comes from [New],
// [Varint] or [PaddedVarint]; the zero Codec refuses to work. It has no state:
// any number of streams and goroutines may use one at once.
type Codec struct {
	kind   kind
	plain  bool // kind is big32 and offset 0
	signed bool
	padded bool   // a varint may be longer than it needs to be
	max    int    // bytes of the longest varint
	offset int    // bytes before the field
	head   int    // bytes up to the field's end; for a varint, which has no fixed end, offset
	body   int    // bytes that the length does not count
	low    uint64 // the least length: that of a frame which is only its header
	span   uint64 // the greatest length, less low
}

// Split returns how long the first frame of data is, or 0 if its length field is
// not whole yet. It implements [framing.Splitter] and does not need seen. A frame
// that ends with its length field is legal.
//
// The error wraps [framing.ErrCorrupt] if the length is negative, ends the frame
// inside its header, or is not a varint that the Codec accepts. It is a
// [*framing.Error] with the Size of the frame, wrapping [framing.ErrTooLong], if
// an int cannot hold that size. Split allocates only errors.
func (c *Codec) Split(data []byte, seen int) (n int, err error) {
	if c.plain {
		// The most common format goes without the slice and the switch, which
		// cost it a fifth.
		if len(data) < 4 {
			return 0, nil
		}
		return c.frame(uint64(binary.BigEndian.Uint32(data)))
	}
	return c.splitField(data)
}

// splitField is Split for all other formats.
func (c *Codec) splitField(data []byte) (n int, err error) {
	if len(data) < c.head {
		return 0, nil
	}
	field := data[c.offset:]
	var length uint64
	switch c.kind {
	case big32:
		length = uint64(binary.BigEndian.Uint32(field))
	case big16:
		length = uint64(binary.BigEndian.Uint16(field))
	case big24:
		length = uint64(field[0])<<16 | uint64(field[1])<<8 | uint64(field[2])
	case big64:
		length = binary.BigEndian.Uint64(field)
	case little16:
		length = uint64(binary.LittleEndian.Uint16(field))
	case little24:
		length = uint64(field[0]) | uint64(field[1])<<8 | uint64(field[2])<<16
	case little32:
		length = uint64(binary.LittleEndian.Uint32(field))
	case little64:
		length = binary.LittleEndian.Uint64(field)
	case single:
		length = uint64(field[0])
	case varint:
		return c.splitVarint(field)
	default:
		return 0, errUnset
	}
	return c.frame(length)
}

// frame returns how long the frame with that length is. A negative length is
// beyond the greatest when it is read as unsigned, and one below low wraps, so
// that one comparison finds all that is wrong.
func (c *Codec) frame(length uint64) (n int, err error) {
	if length-c.low > c.span {
		return 0, c.refuse(length)
	}
	return int(length + uint64(c.body)), nil
}

// Payload returns what stands behind the length field in frame: the rest of its
// header and its trailer, if there are such, included. It returns nil if frame
// ends before the field does. The result aliases frame, and its capacity is its
// length. Payload does not check that frame is as long as its field says.
func (c *Codec) Payload(frame []byte) []byte {
	if len(frame) < c.head {
		return nil
	}
	start := c.head
	if c.kind == varint {
		_, width, _ := c.readVarint(frame[c.offset:])
		if width == 0 {
			return nil
		}
		start += width
	}
	return frame[start:len(frame):len(frame)]
}

// refuse returns the error for a length outside low to low+span. It is apart
// from Split, as tooLong is, to keep that small.
func (c *Codec) refuse(length uint64) error {
	unused := 64 - 8*(c.head-c.offset) // bits that the field does not have
	if v := int64(length<<unused) >> unused; c.signed && v < 0 {
		return fmt.Errorf("%w: length %d is negative", framing.ErrCorrupt, v)
	}
	if length < c.low {
		return fmt.Errorf("%w: length %d makes a frame of %d bytes, its header has %d",
			framing.ErrCorrupt, length, int(length)+c.body, c.head)
	}
	return tooLong(length, c.body)
}

// tooLong returns the error for a frame of body + length bytes, which is more
// than an int holds.
func tooLong(length uint64, body int) error {
	size, carry := bits.Add64(length, uint64(body), 0)
	if body > 0 && carry > 0 {
		size = math.MaxUint64
	}
	return &framing.Error{Size: size, Err: framing.ErrTooLong}
}

package lengthfield

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/plait-go/plait/framing"
)

// Varint returns the Codec for frames whose length is a base-128 varint, least
// significant group first, of at most max bytes, 1 to 10, behind offset bytes,
// 0 to 65535. It counts all bytes behind itself. MQTT is Varint(1, 4), delimited
// Protocol Buffers are Varint(0, 10).
//
// Each length has one encoding, the shortest; others are corrupt, so that no two
// readers of a stream disagree on whether it is well formed (MQTT 5.0, §1.5.5).
func Varint(offset, max int) (*Codec, error) { return newVarint(offset, max, false) }

// PaddedVarint is [Varint], but reads varints that are longer than they need to
// be as well, up to max bytes. Programs that reserve room for a length before
// they know it write these. A PaddedVarint writes the shortest encoding.
func PaddedVarint(offset, max int) (*Codec, error) { return newVarint(offset, max, true) }

func newVarint(offset, max int, padded bool) (*Codec, error) {
	if err := checkOffset(offset); err != nil {
		return nil, err
	}
	if max < 1 || max > binary.MaxVarintLen64 {
		return nil, fmt.Errorf("lengthfield: varint of at most %d bytes is not in 1 to %d", max, binary.MaxVarintLen64)
	}
	return &Codec{kind: varint, padded: padded, max: max, offset: offset, head: offset}, nil
}

// splitVarint is Split where the field at the front of data is a varint.
func (c *Codec) splitVarint(data []byte) (n int, err error) {
	length, width, err := c.readVarint(data)
	if width == 0 {
		return 0, err
	}
	head := c.offset + width
	if length > math.MaxInt-uint64(head) {
		return 0, tooLong(length, head)
	}
	return head + int(length), nil
}

// readVarint returns the varint at the front of data, and its width. The width
// is 0 if there is an error, or if data ends before the varint does.
func (c *Codec) readVarint(data []byte) (length uint64, width int, err error) {
	for i, b := range data[:min(len(data), c.max)] {
		length |= uint64(b&0x7f) << (7 * i)
		if b >= 0x80 {
			continue
		}
		if err := c.checkLast(b, i+1); err != nil {
			return 0, 0, err
		}
		return length, i + 1, nil
	}
	if len(data) < c.max {
		return 0, 0, nil
	}
	return 0, 0, fmt.Errorf("%w: varint runs on after %d bytes", framing.ErrCorrupt, c.max)
}

// checkLast refuses a varint whose last byte, of width in all, is b: it may be
// more than 64 bits or more than it needs to be.
func (c *Codec) checkLast(b byte, width int) error {
	if width == binary.MaxVarintLen64 && b > 1 {
		return fmt.Errorf("%w: varint overflows 64 bits", framing.ErrCorrupt)
	}
	if width > 1 && b == 0 && !c.padded {
		return fmt.Errorf("%w: varint of %d bytes is not the shortest for its value", framing.ErrCorrupt, width)
	}
	return nil
}

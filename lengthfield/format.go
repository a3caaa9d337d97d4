package lengthfield

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// maxConst bounds Offset and the absolute value of Body.
const maxConst = 1<<16 - 1 // bytes

// A Format describes frames of Body + length bytes.
type Format struct {
	// Type is how the length is encoded: one of c C s S n v t T l L i I N V q Q
	// J P, see the table in the package comment.
	Type byte
	// Offset is how many bytes stand before the length, 0 to 65535.
	Offset int
	// Body is how many bytes of the frame the length does not count, wherever
	// they are: header and trailer. It is 0 if the length counts all of them, and
	// negative if it counts more than the frame has. -65535 to 65535.
	Body int
}

// New returns the Codec for frames of format f. The error names the field that
// is out of range. It is an error, too, if even the largest length that f.Type
// holds makes a frame that ends before its header does; if only some lengths do
// that, Split refuses those.
func New(f Format) (*Codec, error) {
	kind, width := layout(f.Type)
	if kind == unset {
		return nil, fmt.Errorf("lengthfield: Type %q is unknown", f.Type)
	}
	if err := checkOffset(f.Offset); err != nil {
		return nil, err
	}
	if f.Body < -maxConst || f.Body > maxConst {
		return nil, fmt.Errorf("lengthfield: Body %d is not in %d to %d", f.Body, -maxConst, maxConst)
	}
	head := f.Offset + width
	low := uint64(max(0, head-f.Body))
	most := largest(f.Type, width)
	if most < low {
		return nil, fmt.Errorf("lengthfield: Body %d leaves no frame: a header of %d bytes needs length %d, Type %q ends at %d",
			f.Body, head, low, f.Type, most)
	}
	most = min(most, math.MaxInt-uint64(f.Body))
	return &Codec{
		kind:   kind,
		plain:  kind == big32 && f.Offset == 0,
		signed: signed(f.Type),
		offset: f.Offset,
		head:   head,
		body:   f.Body,
		low:    low,
		span:   most - low,
	}, nil
}

func checkOffset(offset int) error {
	if offset < 0 || offset > maxConst {
		return fmt.Errorf("lengthfield: Offset %d is not in 0 to %d", offset, maxConst)
	}
	return nil
}

// A kind is a way to lay an unsigned number out in bytes.
type kind uint8

const (
	unset kind = iota
	big32
	big16
	big24
	big64
	little16
	little24
	little32
	little64
	single
	varint
)

// layout returns how a Type lies in the frame, and its bytes; or unset.
func layout(code byte) (k kind, width int) {
	switch code {
	case 'c', 'C':
		return single, 1
	case 's', 'S':
		return native(big16, little16), 2
	case 'n':
		return big16, 2
	case 'v':
		return little16, 2
	case 't':
		return big24, 3
	case 'T':
		return little24, 3
	case 'l', 'L', 'i', 'I':
		return native(big32, little32), 4
	case 'N':
		return big32, 4
	case 'V':
		return little32, 4
	case 'q', 'Q':
		return native(big64, little64), 8
	case 'J':
		return big64, 8
	case 'P':
		return little64, 8
	}
	return unset, 0
}

// native returns the one of two kinds that is the host's byte order.
func native(big, little kind) kind {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return big
	}
	return little
}

// signed reports whether the top bit of a Type is its sign.
func signed(code byte) bool { return strings.IndexByte("csliq", code) >= 0 }

// largest returns the largest length that a Type of width bytes holds.
func largest(code byte, width int) uint64 {
	most := uint64(math.MaxUint64) >> (64 - 8*width)
	if signed(code) {
		return most >> 1
	}
	return most
}

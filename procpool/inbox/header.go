//go:build linux

package inbox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// headerSize is what a message has before its payload, in bytes.
const headerSize = 16

// magic and version are what a header begins with.
const (
	magic   = 0x7069
	version = 1
)

// errMalformed is why a message is dropped.
var errMalformed = errors.New("inbox: malformed message")

// maxHops is how often a message is passed on. Whom it is for may be gone, and those
// who pass it on do not know.
const maxHops = 8

// A header tells whom a message is from, and which incarnation it is for.
type header struct {
	from Addr
	to   uint32 // an incarnation, or 0
	hops byte   // how often it has been passed on
}

// append appends the header in its encoded form.
func (h *header) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, magic)
	dst = append(dst, version, h.hops)
	dst = binary.BigEndian.AppendUint32(dst, h.from.Slot)
	dst = binary.BigEndian.AppendUint32(dst, h.from.Incarnation)
	return binary.BigEndian.AppendUint32(dst, h.to)
}

// parse returns the header and the payload of a message, which aliases it.
func parse(message []byte) (h header, payload []byte, err error) {
	if len(message) < headerSize {
		return h, nil, fmt.Errorf("%w: %d bytes, less than a header", errMalformed, len(message))
	}
	if m := binary.BigEndian.Uint16(message); m != magic {
		return h, nil, fmt.Errorf("%w: magic %#04x", errMalformed, m)
	}
	if message[2] != version || message[3] > maxHops {
		return h, nil, fmt.Errorf("%w: version %d, %d hops", errMalformed, message[2], message[3])
	}
	h.hops = message[3]
	h.from.Slot = binary.BigEndian.Uint32(message[4:])
	h.from.Incarnation = binary.BigEndian.Uint32(message[8:])
	h.to = binary.BigEndian.Uint32(message[12:])
	return h, message[headerSize:], nil
}

//go:build linux

package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// HeaderSize is what a packet has before its part of the message.
const HeaderSize = 24 // bytes

// The constant fields of a header, and where the others are.
const (
	magic   = 0x7063 // "pc"
	version = 1

	atMagic    = 0
	atVersion  = 2
	atReserved = 3
	atTotal    = 4
	atOffset   = 8
	atID       = 12
	atSender   = 16
)

// ErrMalformed is returned for a packet that no Writer has made. The error says which
// field has which value, and where.
var ErrMalformed = errors.New("chunk: malformed packet")

// A Header says which part of which message a packet has.
type Header struct {
	Total  uint32 // length of the message, in bytes
	Offset uint32 // of the part, in bytes from the beginning of the message
	ID     uint32 // of the message, among those of the sender
	Sender uint64 // the Writer
}

// Append appends the header in its encoded form to dst.
func (h *Header) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, magic)
	dst = append(dst, version, 0)
	dst = binary.BigEndian.AppendUint32(dst, h.Total)
	dst = binary.BigEndian.AppendUint32(dst, h.Offset)
	dst = binary.BigEndian.AppendUint32(dst, h.ID)
	return binary.BigEndian.AppendUint64(dst, h.Sender)
}

// Parse returns the header of a packet, and the part of the message, which aliases
// it. Append of the header gives the same bytes again. The error is [ErrMalformed].
func Parse(packet []byte) (h Header, part []byte, err error) {
	if len(packet) < HeaderSize {
		return h, nil, fmt.Errorf("%w: %d bytes, a header has %d", ErrMalformed, len(packet), HeaderSize)
	}
	h = Header{
		Total:  binary.BigEndian.Uint32(packet[atTotal:]),
		Offset: binary.BigEndian.Uint32(packet[atOffset:]),
		ID:     binary.BigEndian.Uint32(packet[atID:]),
		Sender: binary.BigEndian.Uint64(packet[atSender:]),
	}
	part = packet[HeaderSize:]
	if m := binary.BigEndian.Uint16(packet[atMagic:]); m != magic {
		return h, nil, fmt.Errorf("%w: magic at byte %d is %#04x, not %#04x", ErrMalformed, atMagic, m, magic)
	}
	if v := packet[atVersion]; v != version {
		return h, nil, fmt.Errorf("%w: version at byte %d is %d, not %d", ErrMalformed, atVersion, v, version)
	}
	if v := packet[atReserved]; v != 0 {
		return h, nil, fmt.Errorf("%w: reserved at byte %d is %d, not 0", ErrMalformed, atReserved, v)
	}
	if h.Offset > h.Total {
		return h, nil, fmt.Errorf("%w: offset at byte %d is %d, total is %d", ErrMalformed, atOffset, h.Offset, h.Total)
	}
	if left := h.Total - h.Offset; uint64(len(part)) > uint64(left) {
		return h, nil, fmt.Errorf("%w: part at byte %d has %d bytes, offset %d of %d leaves %d",
			ErrMalformed, HeaderSize, len(part), h.Offset, h.Total, left)
	}
	if len(part) == 0 && h.Total > 0 {
		return h, nil, fmt.Errorf("%w: part at byte %d is empty, total is %d", ErrMalformed, HeaderSize, h.Total)
	}
	return h, part, nil
}

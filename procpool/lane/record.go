//go:build linux

package lane

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// Sizes in bytes.
const (
	HeaderSize = 24
	Piece      = 64<<10 - HeaderSize // of the payload of a record
	DefaultMax = 16 << 20            // of a message
)

// A Kind says what a message is.
type Kind uint8

// The kinds.
const (
	KindRequest Kind = iota + 1 // to a worker
	KindEnd                     // to a worker: the last record
	KindReturn                  // to a worker: what its call has come to
	KindRefusal                 // to a worker: why its call has come to nothing
	KindReply                   // from a worker
	KindFailure                 // from a worker: why a request has come to nothing
	KindCall                    // from a worker
	kinds
)

// more is the flag of a record that another one of the message follows.
const more = 1

// A Header is what a record begins with.
type Header struct {
	Kind Kind
	More bool // another record of the message follows
	ID   uint64
	Tag  uint64
}

// ErrCorrupt says that bytes of a lane are no record, or one that does not belong
// there.
var ErrCorrupt = errors.New("lane: corrupt")

// codec cuts records.
var codec = mustCodec() //nolint:gochecknoglobals // a constant

func mustCodec() *lengthfield.Codec {
	c, err := lengthfield.New(lengthfield.Format{Type: 'V', Body: 4})
	if err != nil {
		panic(err)
	}
	return c
}

// NewDecoder returns what cuts the records out of a lane's bytes.
func NewDecoder() framing.Decoder {
	return framing.Decoder{Splitter: codec, Max: HeaderSize + Piece}
}

// AppendHeader appends the header of a record of n bytes of payload, Piece at most.
func AppendHeader(dst []byte, h Header, n int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(HeaderSize-4+n))
	flags := byte(0)
	if h.More {
		flags = more
	}
	dst = append(dst, byte(h.Kind), flags, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, h.ID)
	return binary.LittleEndian.AppendUint64(dst, h.Tag)
}

// Append appends a message, in as many records as it takes.
func Append(dst []byte, h Header, payload []byte) []byte {
	for {
		n := min(len(payload), Piece)
		h.More = n < len(payload)
		dst = append(AppendHeader(dst, h, n), payload[:n]...)
		if payload = payload[n:]; !h.More {
			return dst
		}
	}
}

// Size returns how many bytes Append appends for n bytes of payload.
func Size(n int) int { return n + HeaderSize*max(1, (n+Piece-1)/Piece) }

// Parse returns what a record of a Decoder is. The payload lies in it.
func Parse(record []byte) (h Header, payload []byte, err error) {
	if len(record) < HeaderSize {
		return h, nil, fmt.Errorf("%w: record of %d bytes, want %d at least", ErrCorrupt, len(record), HeaderSize)
	}
	h = Header{
		Kind: Kind(record[4]), More: record[5] == more,
		ID: binary.LittleEndian.Uint64(record[8:]), Tag: binary.LittleEndian.Uint64(record[16:]),
	}
	if h.Kind == 0 || h.Kind >= kinds || record[5] > more || record[6] != 0 || record[7] != 0 {
		return h, nil, fmt.Errorf("%w: record begins with % x", ErrCorrupt, record[4:8])
	}
	return h, record[HeaderSize:], nil
}

// An Assembler makes messages of records.
type Assembler struct {
	Max int // bytes of a message; DefaultMax if 0

	open bool // a message is begun and not whole
	head Header
	buf  []byte
}

// keep is how large a buffer may be that waits for its next use, in bytes.
const keep = 64 << 10

// Add adds a record. If it makes a message whole, its payload is returned, and valid
// until the next Add or the end of piece. It is an error if the record belongs to
// another message than the one that is open, or makes it longer than Max.
func (a *Assembler) Add(h Header, piece []byte) (payload []byte, whole bool, err error) {
	if !a.open && cap(a.buf) > keep {
		a.buf = nil
	}
	limit := a.Max
	if limit == 0 {
		limit = DefaultMax
	}
	switch {
	case a.open && (h.Kind != a.head.Kind || h.ID != a.head.ID || h.Tag != a.head.Tag):
		return nil, false, fmt.Errorf("%w: a record of message %d inside message %d", ErrCorrupt, h.ID, a.head.ID)
	case len(a.buf)+len(piece) > limit:
		return nil, false, fmt.Errorf("%w: message %d of more than %d bytes", ErrCorrupt, h.ID, limit)
	case !a.open && !h.More:
		return piece, true, nil
	case h.More && len(piece) == 0:
		return nil, false, fmt.Errorf("%w: an empty record of message %d, and more to follow", ErrCorrupt, h.ID)
	}
	a.open, a.head = h.More, h
	a.buf = append(a.buf, piece...)
	if h.More {
		return nil, false, nil
	}
	payload, a.buf = a.buf, a.buf[:0]
	return payload, true, nil
}

// Open reports whether a message is begun and not whole.
func (a *Assembler) Open() bool { return a.open }

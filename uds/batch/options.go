//go:build linux

package batch

import (
	"errors"
	"math"
)

// HeaderSize is what a record takes besides its bytes.
const HeaderSize = 4 // bytes

// The sizes that are used where Options say nothing.
const (
	DefaultSize = 64 << 10 // bytes of a batch
	DefaultMax  = 2 << 20  // bytes of a record on a Stream
)

var (
	// ErrTooLong is returned by a Writer for a record that no packet has room for, or
	// that is longer than Max, and by a Reader of a Stream for one that claims to be.
	ErrTooLong = errors.New("batch: record too long")

	// ErrCorrupt is returned by a Reader for a packet that does not end where a
	// record does, or has none.
	ErrCorrupt = errors.New("batch: corrupt packet")
)

// A Kind is what batches travel in.
type Kind int

// The kinds.
const (
	Packets Kind = iota // each batch is a message: SOCK_DGRAM, SOCK_SEQPACKET
	Stream              // batches follow each other: SOCK_STREAM
)

// Options are for both ends, which should agree. A nil *Options is the defaults.
type Options struct {
	// Size is the size of a batch, in bytes; DefaultSize if 0 or less. A Reader of
	// Packets cannot receive larger ones. On a Stream it is the size of the buffer
	// only, and a record may be longer.
	Size int

	// Max is the length of the longest record on a Stream, in bytes; DefaultMax if 0
	// or less. A record of Packets is as long as there is room for.
	Max int
}

// size returns the size of a batch, which has room for an empty record at least.
func (o *Options) size() int {
	if o == nil || o.Size <= 0 {
		return DefaultSize
	}
	return max(o.Size, HeaderSize)
}

// max returns the length of the longest record on a Stream. A header cannot tell
// more than 32 bits, and int cannot hold more than itself.
func (o *Options) max() int {
	if o == nil || o.Max <= 0 {
		return DefaultMax
	}
	return int(min(int64(o.Max), math.MaxUint32, math.MaxInt-HeaderSize))
}

//go:build linux

package chunk

import "time"

// The limits that are used where Limits say nothing.
const (
	DefaultPending = 64 << 20         // bytes of memory
	DefaultCount   = 64               // messages
	DefaultAge     = 10 * time.Second // since the last packet of a message
	DefaultSpare   = 1 << 20          // bytes of memory
)

// Limits bound what a Reassembler holds. Where a field is 0, or less, the default
// holds.
type Limits struct {
	// Message is the length of the longest message, in bytes; DefaultMessage if 0. A
	// longer one is dropped.
	Message int

	// Pending is the memory of all incomplete messages together, in bytes;
	// DefaultPending if 0. A message that would take more is dropped; the others stay.
	Pending int

	// Count is the number of incomplete messages; DefaultCount if 0. If there are as
	// many, and another one begins, that which has waited longest for a packet is
	// dropped.
	Count int

	// Age is how long an incomplete message waits for its next packet; DefaultAge if
	// 0.
	Age time.Duration

	// Spare is the memory that is kept for the next message, in bytes; DefaultSpare if
	// 0, and none if less. Who receives many messages of one size in chunks saves
	// allocations if they fit.
	Spare int
}

// filled returns the limits with defaults for what they do not say.
func (l Limits) filled() Limits {
	l.Message = or(l.Message, DefaultMessage)
	l.Pending = or(l.Pending, DefaultPending)
	l.Count = or(l.Count, DefaultCount)
	if l.Age <= 0 {
		l.Age = DefaultAge
	}
	if l.Spare == 0 {
		l.Spare = DefaultSpare
	}
	return l
}

// Stats count what a Reassembler has got, and what became of it:
//
//	Packets = Chunks + Orphans + Oversize + Malformed + Truncated + Lost + Held
type Stats struct {
	Packets uint64 // that came

	Messages uint64 // that were whole, and returned
	Chunks   uint64 // packets of these

	Orphans   uint64 // packets dropped because the beginning of the message was not there
	Oversize  uint64 // messages dropped at their first packet, longer than Limits.Message
	Malformed uint64 // packets that no Writer has made
	Truncated uint64 // packets longer than the buffer of a Reader

	Broken  uint64 // messages dropped because a packet was missing
	Expired uint64 // messages dropped because nothing came for Limits.Age
	Evicted uint64 // messages dropped for another one, because of Limits.Count
	Refused uint64 // messages dropped because of Limits.Pending
	Lost    uint64 // packets of these four

	Incomplete int // messages that have begun
	Held       int // packets of these
	Bytes      int // memory of these
}

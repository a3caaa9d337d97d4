//go:build linux

package chunk

import (
	"fmt"
	"time"
)

// A Reassembler puts messages together. It does no I/O: [Reassembler.Add] takes a
// packet, from wherever it came. The zero Reassembler is ready for use, with the
// default limits.
type Reassembler struct {
	Limits Limits // not to be changed after the first Add

	limits   Limits // with defaults
	messages map[uint64]*message
	waiting  queue
	stats    Stats
	spare    []byte   // memory for the next message
	unused   *message // linked by next
}

// A message is one that has begun and is not whole. A sender has one at most.
type message struct {
	header     Header // of its first packet
	data       []byte // what has arrived
	packets    int
	since      time.Time // arrival of the last packet
	next, prev *message
}

// Add takes a packet that arrived at the time now, and returns the message that is
// whole with it, if done says so. The message aliases packet if it came in one, and
// is valid until the next call otherwise.
//
// An error is [ErrMalformed]; it concerns this packet only. What is dropped for other
// reasons is counted in [Stats].
func (r *Reassembler) Add(packet []byte, now time.Time) (msg []byte, done bool, err error) {
	if r.messages == nil {
		r.messages = make(map[uint64]*message)
		r.limits = r.Limits.filled()
	}
	r.stats.Packets++
	h, part, err := Parse(packet)
	if err != nil {
		r.stats.Malformed++
		return nil, false, err
	}
	r.Expire(now)
	m := r.messages[h.Sender]
	if h.Offset == 0 {
		msg, done = r.begin(m, h, part, now)
		return msg, done, nil
	}
	switch {
	case m == nil:
		r.stats.Orphans++
		return nil, false, nil
	case m.header.ID != h.ID: // the sender has given m up
		r.drop(m, &r.stats.Broken)
		r.stats.Orphans++
		return nil, false, nil
	case m.header.Total != h.Total:
		r.stats.Malformed++
		return nil, false, fmt.Errorf("%w: total at byte %d is %d, in the first packet of the message it was %d",
			ErrMalformed, atTotal, h.Total, m.header.Total)
	case uint64(len(m.data)) != uint64(h.Offset):
		r.drop(m, &r.stats.Broken)
		r.stats.Orphans++
		return nil, false, nil
	}
	r.waiting.remove(m)
	msg, done = r.extend(m, part, now)
	return msg, done, nil
}

// Expire drops the messages whose next packet is overdue at the time now. Add does
// that, too: Expire is for a receiver to which nothing comes.
func (r *Reassembler) Expire(now time.Time) {
	for m := r.waiting.first; m != nil && now.Sub(m.since) > r.limits.Age; m = r.waiting.first {
		r.drop(m, &r.stats.Expired)
	}
}

// Stats returns what has been counted.
func (r *Reassembler) Stats() Stats { return r.stats }

// begin takes the first packet of a message, whose sender had begun old, if not nil.
func (r *Reassembler) begin(old *message, h Header, part []byte, now time.Time) ([]byte, bool) {
	if old != nil {
		r.drop(old, &r.stats.Broken)
	}
	if uint64(h.Total) > uint64(r.limits.Message) {
		r.stats.Oversize++
		return nil, false
	}
	if len(part) == int(h.Total) {
		r.stats.Messages++
		r.stats.Chunks++
		return part[:len(part):len(part)], true
	}
	m := r.unused
	if m == nil {
		m = &message{}
	} else {
		r.unused = m.next
		m.next = nil
	}
	m.header = h
	r.messages[h.Sender] = m
	r.stats.Incomplete++
	return r.extend(m, part, now)
}

// extend adds part to m, which is not waiting.
func (r *Reassembler) extend(m *message, part []byte, now time.Time) ([]byte, bool) {
	m.packets++
	r.stats.Held++
	if !r.grow(m, len(part)) {
		r.forget(m)
		r.stats.Refused++
		r.stats.Lost += uint64(m.packets)
		r.release(m)
		return nil, false
	}
	m.data = append(m.data, part...)
	if len(m.data) == int(m.header.Total) {
		r.forget(m)
		r.stats.Messages++
		r.stats.Chunks += uint64(m.packets)
		msg := m.data[:len(m.data):len(m.data)]
		r.release(m) // and its memory, which the next call may use
		return msg, true
	}
	if len(r.messages) > r.limits.Count {
		r.drop(r.waiting.first, &r.stats.Evicted)
	}
	m.since = now
	r.waiting.add(m)
	return nil, false
}

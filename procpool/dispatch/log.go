//go:build linux

package dispatch

import "github.com/plait-go/plait/procpool/lane"

// An entry is a message in a log.
type entry struct {
	flow   *Flow // whose it is; nil for an extra
	cookie uint64
	end    uint64 // of its records, in all bytes that the log has ever had
	size   int32  // bytes of payload
	wire   int32  // bytes of its records
	stay   uint32 // of the flow
	flags  entryFlags
}

type entryFlags uint8

const (
	settled    entryFlags = 1 << iota // answered, or not to be answered
	redelivers                        // may be sent again though it had begun
	extra                             // a return, or an end: no request
	roams                             // no slot is chosen for it
	lost                              // and to be reported when those before are answered
)

func (e *entry) is(f entryFlags) bool { return e.flags&f != 0 }

// set makes e a request of f.
func (e *entry) set(f *Flow, r *Request, flags entryFlags) {
	e.flow, e.cookie, e.stay, e.flags = f, r.Cookie, f.present(), flags
	if r.Redeliver {
		e.flags |= redelivers
	}
}

// copy makes e what another one is, but for the bytes.
func (e *entry) copy(o *entry) {
	e.flow, e.cookie, e.stay, e.flags = o.flow, o.cookie, o.stay, o.flags
}

// overhead is what a request takes besides its bytes: an entry and a header.
const overhead = 64

// cost is what a request counts where bytes are limited.
func (e *entry) cost() int { return int(e.size) + overhead }

// A log is messages in order, with their bytes: those that wait for a worker, or
// those that one has and has not answered. It takes memory for what is in it, and a
// chunk at most besides.
type log struct {
	ring  []entry // a power of two
	first uint64  // number of the oldest entry
	next  uint64  // number of the next one
	cost  int     // of all
	wire  uint64  // bytes of records that it has ever had
	store
}

// at returns an entry, first <= number < next.
func (l *log) at(number uint64) *entry { return &l.ring[number&uint64(len(l.ring)-1)] }

func (l *log) len() int { return int(l.next - l.first) }

// push appends an entry that is otherwise empty, of whose payload size and records
// wire bytes follow. It is valid until the next push.
func (l *log) push(size, wire int) *entry {
	if l.len() == len(l.ring) {
		l.grow()
	}
	e := l.at(l.next)
	l.next++
	l.wire += uint64(wire)
	e.size, e.wire, e.end = int32(size), int32(wire), l.wire
	l.cost += size + overhead
	return e
}

// grow doubles the ring.
func (l *log) grow() {
	ring := make([]entry, max(16, 2*len(l.ring)))
	for n := l.first; n < l.next; n++ {
		ring[n&uint64(len(ring)-1)] = *l.at(n)
	}
	l.ring = ring
}

// add appends a message, and returns its entry, as push does.
func (l *log) add(h lane.Header, payload []byte) *entry {
	e := l.push(len(payload), lane.Size(len(payload)))
	for {
		n := min(len(payload), lane.Piece)
		h.More = n < len(payload)
		c := l.room(lane.HeaderSize + n)
		c.data = append(lane.AppendHeader(c.data, h, n), payload[:n]...)
		if payload = payload[n:]; !h.More {
			return e
		}
	}
}

// mark appends the entry of a request that is lost, without its bytes, and returns it.
func (l *log) mark(e *entry) *entry {
	m := l.push(0, 0)
	m.copy(e)
	m.flags |= lost
	return m
}

// move appends the oldest entry to another log, with this id, and forgets it.
func (l *log) move(to *log, id uint64) {
	e := l.at(l.first)
	to.push(int(e.size), int(e.wire)).copy(e)
	l.front(int(e.wire), func(record []byte) {
		h, payload, _ := lane.Parse(record) // it is our own
		h.ID = id
		c := to.room(len(record))
		c.data = append(lane.AppendHeader(c.data, h, len(payload)), payload...)
	})
	l.pop()
}

// pop forgets the oldest entry.
func (l *log) pop() {
	e := l.at(l.first)
	l.cost -= e.cost()
	l.discard(int(e.wire))
	e.flow, e.cookie, e.flags = nil, 0, 0
	l.first++
}

// payload returns a copy of that of the oldest entry.
func (l *log) payload() []byte {
	e := l.at(l.first)
	p := make([]byte, 0, e.size)
	l.front(int(e.wire), func(record []byte) { p = append(p, record[lane.HeaderSize:]...) })
	return p
}

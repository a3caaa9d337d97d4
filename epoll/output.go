//go:build linux

package epoll

// chunk is the room of an output that is filled in a callback, and what is
// collected before a system call is made.
const chunk = 64 << 10 // bytes

// An output is what a Conn has been given to write and has not sent. It exists
// while there are such bytes.
type output struct {
	buf  []byte   // the first bytes; those before off are sent
	more [][]byte // the bytes behind; of packets one a packet
	off  int
	size int // bytes unsent, and packetCost for each packet
}

// packetCost is what a packet that is unsent takes of memory besides its bytes.
const packetCost = 64 // bytes

// outputs is what a Loop keeps of outputs that are not in use, with a chunk each.
type outputs struct {
	spare []*output
}

// Bounds of outputs.
const (
	maxSpare = 32
	maxLent  = 32 // to Conns whose callback is not running, before they send
)

func (s *outputs) take() *output {
	if n := len(s.spare); n > 0 {
		o := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return o
	}
	return &output{buf: make([]byte, 0, chunk)}
}

// lend returns an empty output for c.
func (l *Loop) lend(c *Conn) *output {
	if c != l.current {
		if len(l.holders) >= maxLent {
			l.relieve()
		}
		l.holders = append(l.holders, c)
	}
	return l.outputs.take()
}

// give takes o back, when it is empty or no longer wanted.
func (s *outputs) give(o *output) {
	if cap(o.buf) < chunk {
		return
	}
	if len(s.spare) < maxSpare {
		clear(o.more)
		*o = output{buf: o.buf[:0], more: o.more[:0]}
		s.spare = append(s.spare, o)
	}
}

// shrink returns an output that takes no more than twice the memory of its bytes,
// for a Conn that has to wait until it can send them.
func (s *outputs) shrink(o *output) *output {
	if cap(o.buf) < chunk || len(o.more) > 0 || o.size > chunk/4 {
		return o
	}
	small := &output{buf: append([]byte(nil), o.buf[o.off:]...), size: o.size}
	s.give(o)
	return small
}

// room returns how many bytes can be appended to the first buffer.
func (o *output) room() int {
	if len(o.more) > 0 {
		return 0
	}
	return cap(o.buf) - len(o.buf)
}

// add appends a copy of p.
func (o *output) add(p []byte) {
	o.size += len(p)
	if n := min(o.room(), len(p)); n > 0 {
		o.buf = append(o.buf, p[:n]...)
		p = p[n:]
	}
	if last := len(o.more) - 1; last >= 0 {
		n := min(cap(o.more[last])-len(o.more[last]), len(p))
		o.more[last] = append(o.more[last], p[:n]...)
		p = p[n:]
	}
	if len(p) > 0 {
		o.more = append(o.more, append(make([]byte, 0, max(len(p), min(o.size, chunk))), p...))
	}
}

// segments appends to ps the bytes that are unsent, in so many pieces at most.
func (o *output) segments(ps [][]byte, most int) [][]byte {
	if o.off < len(o.buf) {
		ps = append(ps, o.buf[o.off:])
	}
	return append(ps, o.more[:min(len(o.more), most-len(ps))]...)
}

// sent forgets the first n bytes.
func (o *output) sent(n int) {
	o.size -= n
	if k := min(n, len(o.buf)-o.off); k > 0 {
		o.off += k
		n -= k
	}
	for n > 0 && n >= len(o.more[0]) {
		n -= len(o.more[0])
		o.pop()
	}
	if n > 0 {
		o.more[0] = o.more[0][n:]
	}
}

// pop forgets the first piece of more.
func (o *output) pop() {
	o.more[0] = nil
	if o.more = o.more[1:]; len(o.more) == 0 {
		o.more = nil
	}
}

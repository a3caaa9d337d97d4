//go:build linux

package dispatch

import "encoding/binary"

// chunkSize is the room of a chunk, in bytes: that of a whole record at least.
const chunkSize = 64 << 10

// maxParts is how many chunks are sent in one call.
const maxParts = 64

// A chunk has whole records.
type chunk struct{ data []byte }

// A pool keeps chunks for their next use.
type pool struct{ free []*chunk }

// maxFree is how many chunks a pool keeps.
const maxFree = 32

func (p *pool) take() *chunk {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	return &chunk{data: make([]byte, 0, chunkSize)}
}

func (p *pool) give(c *chunk) {
	if len(p.free) < maxFree {
		c.data = c.data[:0]
		p.free = append(p.free, c)
	}
}

// A store is the bytes of a log: added at the end, sent from there to there, and
// forgotten at the front, what was sent or what never will be.
type store struct {
	pool   *pool
	chunks []*chunk
	off    int // of the first chunk, forgotten
	at     int // the chunk that is sent next
	from   int // and from where
	unsent int // bytes
}

// room returns the last chunk, which has room for a record of n bytes. The caller
// appends that.
func (s *store) room(n int) *chunk {
	s.unsent += n
	if last := len(s.chunks) - 1; last >= 0 {
		if c := s.chunks[last]; cap(c.data)-len(c.data) >= n {
			return c
		}
	}
	c := s.pool.take()
	s.chunks = append(s.chunks, c)
	return c
}

// discard forgets the first n bytes.
func (s *store) discard(n int) {
	for n > 0 {
		c := s.chunks[0]
		k := min(n, len(c.data)-s.off)
		s.off += k
		n -= k
		if s.at == 0 && s.from < s.off {
			s.unsent -= s.off - s.from
			s.from = s.off
		}
		if s.off == len(c.data) {
			s.pop()
		}
	}
}

// pop drops the first chunk, of which all is forgotten.
func (s *store) pop() {
	s.pool.give(s.chunks[0])
	s.chunks = append(s.chunks[:0], s.chunks[1:]...) // there are few
	s.off = 0
	if s.at > 0 {
		s.at--
	} else {
		s.from = 0
	}
}

// front calls fn with the records in the first n bytes.
func (s *store) front(n int, fn func(record []byte)) {
	at, off := 0, s.off
	for n > 0 {
		if off == len(s.chunks[at].data) {
			at, off = at+1, 0
		}
		data := s.chunks[at].data[off:]
		size := 4 + int(binary.LittleEndian.Uint32(data))
		fn(data[:size:size])
		off, n = off+size, n-size
	}
}

// parts appends to ps what is not sent.
func (s *store) parts(ps [][]byte) [][]byte {
	from := s.from
	for _, c := range s.chunks[min(s.at, len(s.chunks)):] {
		if from < len(c.data) && len(ps) < maxParts {
			ps = append(ps, c.data[from:])
		}
		from = 0
	}
	return ps
}

// sent notes that n more bytes are sent.
func (s *store) sent(n int) {
	s.unsent -= n
	for n > 0 {
		k := min(n, len(s.chunks[s.at].data)-s.from)
		s.from += k
		n -= k
		if s.from == len(s.chunks[s.at].data) && s.at+1 < len(s.chunks) {
			s.at, s.from = s.at+1, 0
		}
	}
}

package framing

import (
	"errors"
	"io"
)

const (
	minBuf     = 4 << 10 // bytes: a Reader's first buffer
	emptyReads = 100     // reads of nothing in a row before io.ErrNoProgress
)

// errReadCount reports a broken io.Reader.
var errReadCount = errors.New("framing: the underlying Read returned an impossible count")

// A source is the bytes that a Reader has in hand, the left ones before buf[w],
// and where more come from. It knows nothing of frames but how much room they
// take.
type source struct {
	rd      io.Reader
	buf     []byte
	w, left int
	total   int64 // bytes read
	full    bool  // the last read filled all the room there was
	pending error // came with the last bytes; returned when they do not suffice
}

// bytes returns the bytes in hand.
func (s *source) bytes() []byte { return s.buf[s.w-s.left : s.w] }

// offset returns the place of the bytes in hand in the stream.
func (s *source) offset() int64 { return s.total - int64(s.left) }

// fill reads at least one byte, or returns an error. Need is the length of the
// frame in hand if it is known, limit the most it may be.
func (s *source) fill(need, limit int) error {
	if err := s.pending; err != nil {
		s.pending = nil
		return err
	}
	s.room(need, limit)
	for range emptyReads {
		n, err := s.rd.Read(s.buf[s.w:])
		if n < 0 || n > len(s.buf)-s.w {
			return errReadCount
		}
		s.w += n
		s.left += n
		s.total += int64(n)
		if n > 0 {
			s.full = s.w == len(s.buf)
			s.pending = err
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// room makes room behind the bytes in hand: it moves them to the front, or
// doubles the buffer when they fill it, never ahead of the bytes received. Up to
// keepCap it also doubles when reads fill it, so that a busy stream takes fewer
// of them; over keepCap it shrinks when what is in hand is small.
func (s *source) room(need, limit int) {
	have, size := s.left, len(s.buf)
	switch {
	case size == 0, have == 0 && size > keepCap:
		size = minBuf
	case size > keepCap && have <= size/4:
		size = max(keepCap, 2*have)
	case have == size:
		size = grown(have, need, limit)
	case s.full && size < keepCap:
		size *= 2
	}
	s.full = false
	front := s.buf
	switch tail := len(s.buf) - s.w; {
	case size != len(s.buf):
		front = make([]byte, size)
	case have > 0 && tail > 0 && (tail >= size/4 || have > size/2):
		return // room enough, or more to move than it gains
	}
	copy(front, s.bytes())
	s.buf, s.w = front, have
}

// grown returns the next size of a buffer that have bytes of one frame fill. Over
// keepCap it is no more than the frame can need.
func grown(have, need, limit int) int {
	bound := limit
	if need > 0 {
		bound = need
	}
	return max(have+1, min(2*have, max(bound, keepCap)))
}

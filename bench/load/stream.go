//go:build linux

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// head is what a request begins with, each a big-endian uint32: how many bytes
// follow the first four, the number of the stream, and that of the request.
const head = 12 // bytes

// windows is how many places of the random bytes a request's rest can begin at.
const windows = 4093

// A stream is the bytes that connections send, and get back. All of a connection's
// requests differ, in each byte but for chance, so what is lost, doubled or in
// another's place is noticed.
type stream struct {
	size   int // bytes of a request
	random []byte
	first  [head]byte
}

func newStream(size int) (*stream, error) {
	if size < head {
		return nil, fmt.Errorf("load: requests of %d bytes; the least is %d", size, head)
	}
	s := &stream{size: size, random: make([]byte, windows+size)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range s.random {
		s.random[i] = byte(r.Uint32())
	}
	return s, nil
}

// piece returns bytes of stream id from pos on, at least one and at most to the
// end of the request. They are valid until the next call.
func (s *stream) piece(id uint32, pos int64) []byte {
	number, at := uint32(pos/int64(s.size)), int(pos%int64(s.size))
	if at < head {
		binary.BigEndian.PutUint32(s.first[:], uint32(s.size-4))
		binary.BigEndian.PutUint32(s.first[4:], id)
		binary.BigEndian.PutUint32(s.first[8:], number)
		return s.first[at:]
	}
	window := int((number*61 + id*17) % windows)
	return s.random[window+at-head : window+s.size-head]
}

// fill makes p the bytes of stream id from pos on.
func (s *stream) fill(p []byte, id uint32, pos int64) {
	for len(p) > 0 {
		n := copy(p, s.piece(id, pos))
		p = p[n:]
		pos += int64(n)
	}
}

// verify returns an error if p is not the bytes of stream id from pos on.
func (s *stream) verify(p []byte, id uint32, pos int64) error {
	for len(p) > 0 {
		want := s.piece(id, pos)
		n := min(len(p), len(want))
		if !bytes.Equal(p[:n], want[:n]) {
			return fmt.Errorf("load: stream %d from byte %d on is %.16x; want %.16x", id, pos, p[:n], want[:n])
		}
		p = p[n:]
		pos += int64(n)
	}
	return nil
}

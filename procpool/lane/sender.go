//go:build linux

package lane

import (
	"sync"

	"github.com/plait-go/plait/uds"
)

// most is how many bytes a sender collects before whoever has more has to wait.
const most = 1 << 20

// A sender sends what several goroutines have to send, as much in one call as there
// is. Whoever comes first sends, also what others bring meanwhile.
type sender struct {
	conn *uds.Conn

	mu     sync.Mutex
	room   sync.Cond
	out    []byte
	spare  []byte
	active bool
	err    error
}

func newSender(conn *uds.Conn) *sender {
	s := &sender{conn: conn}
	s.room.L = &s.mu
	return s
}

// send sends what add appends, or has it sent, and returns the error of an earlier
// one. It waits while there is too much to send.
func (s *sender) send(add func(dst []byte) []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.active && len(s.out) > most && s.err == nil {
		s.room.Wait()
	}
	if s.err != nil {
		return s.err
	}
	s.out = add(s.out)
	if s.active {
		return nil
	}
	s.active = true
	for len(s.out) > 0 && s.err == nil {
		p := s.out
		s.out = s.spare[:0]
		s.mu.Unlock()
		_, err := s.conn.Write(p)
		s.mu.Lock()
		if s.spare = p; cap(p) > 2*Batch {
			s.spare = nil
		}
		s.err = err
		s.room.Broadcast()
	}
	s.active = false
	return s.err
}

//go:build unix

package main

import (
	"fmt"
	"sync"
	"time"
)

// A conns is the open connections, by ID. The zero value is ready for use, by any
// number of goroutines.
type conns struct {
	mu      sync.Mutex
	open    map[uint64]*conn
	last    uint64 // ID that was given out; no ID is given out twice
	stopped bool
}

// add gives c its ID, or closes it if stop was called.
func (s *conns) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		_ = c.Close() // nothing was said yet
		return false
	}
	if s.open == nil {
		s.open = make(map[uint64]*conn)
	}
	s.last++
	c.id = s.last
	s.open[c.id] = c
	return true
}

// remove forgets a connection.
func (s *conns) remove(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// find returns an open connection.
func (s *conns) find(id uint64) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no connection %d", id)
}

// send leaves text for a connection, which writes it as one frame.
func (s *conns) send(id uint64, text []byte) error {
	c, err := s.find(id)
	if err != nil {
		return err
	}
	return c.post(text)
}

// close has a connection write what it has in hand, and close.
func (s *conns) close(id uint64) error {
	c, err := s.find(id)
	if err != nil {
		return err
	}
	c.end(time.Now())
	return nil
}

// stop has every connection close after grace. No further one is added.
func (s *conns) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	at := time.Now().Add(grace)
	for _, c := range s.open {
		c.end(at)
	}
}

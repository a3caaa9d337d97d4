//go:build linux

package sysvmsg

import (
	"context"
	"errors"
)

// A Source receives messages one after the other, in memory of its own, and without
// their types. It belongs to one goroutine.
type Source struct {
	q *Queue
	s Selector
	p []byte
}

// Source returns what receives the messages that s selects.
func (q *Queue) Source(s Selector) *Source { return &Source{q: q, s: s} }

// Next takes the next message out of the queue, and waits for one until ctx ends. It
// is valid until the next call. The error is that of Queue.Receive, but that no
// message is too large.
func (s *Source) Next(ctx context.Context) ([]byte, error) {
	if s.p == nil {
		limits, err := ReadLimits()
		if err != nil {
			return nil, err
		}
		s.p = make([]byte, limits.Message)
	}
	for {
		n, _, err := s.q.Receive(ctx, s.s, s.p)
		short := new(ShortBufferError) // sent when the limit was higher
		if !errors.As(err, &short) {
			return s.p[:n], err
		}
		s.p = make([]byte, max(short.Size, 2*len(s.p)))
	}
}

//go:build linux

package envelope

import (
	"context"

	"github.com/plait-go/plait/sysvmsg"
)

// A Source receives the payloads of messages in order, one after the other. It is a
// Consumer for those who need no more, and belongs to one goroutine.
type Source struct {
	c *Consumer
	s sysvmsg.Selector
}

// Source returns what receives the messages that s selects.
func (c *Consumer) Source(s sysvmsg.Selector) *Source { return &Source{c: c, s: s} }

// Next returns the payload of the next message in order, as Consumer.Receive: what is
// not in order goes to the Quarantine. It is valid until the next call.
func (s *Source) Next(ctx context.Context) ([]byte, error) {
	m, err := s.c.Receive(ctx, s.s)
	return m.Payload, err
}

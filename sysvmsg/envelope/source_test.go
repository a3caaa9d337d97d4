//go:build linux

package envelope_test

import (
	"testing"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func TestSource(t *testing.T) {
	q := queue(t, 0)
	c, err := envelope.NewConsumer(q, envelope.Drop{}, nil)
	must(t, err)
	must(t, q.Send(t.Context(), 1, []byte("foreign")))
	must(t, envelope.NewProducer(q, 0).Send(t.Context(), 1, []byte("ours")))
	s := c.Source(sysvmsg.Any())
	if got, err := s.Next(t.Context()); string(got) != "ours" || err != nil {
		t.Errorf("Next = %q, %v", got, err)
	}
	if got, err := s.Next(ended(t)); err == nil {
		t.Errorf("Next = %q", got)
	}
}

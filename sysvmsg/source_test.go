//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
)

func TestSource(t *testing.T) {
	q := private(t, 0)
	limits, err := sysvmsg.ReadLimits()
	must(t, err)
	large := string(make([]byte, limits.Message))
	for _, text := range []string{"one", "", large, "two"} {
		must(t, q.Send(t.Context(), 3, []byte(text)))
		must(t, q.Send(t.Context(), 4, []byte("of another type")))
		s := q.Source(sysvmsg.Exact(3))
		if got, err := s.Next(t.Context()); string(got) != text || err != nil {
			t.Errorf("Next = %.20q, %v; want %.20q", got, err, text)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		cancel(cause)
		if got, err := s.Next(ctx); !errors.Is(err, cause) {
			t.Errorf("Next = %.20q, %v; want %v", got, err, cause)
		}
		if got, err := q.Source(sysvmsg.Any()).Next(t.Context()); string(got) != "of another type" || err != nil {
			t.Errorf("Next = %.20q, %v", got, err)
		}
	}
}

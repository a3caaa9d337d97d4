//go:build linux

package envelope_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// within returns a context for what must not take long.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	return ctx
}

// ended returns a context that has ended.
func ended(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

// queue returns a new queue with a capacity in bytes, 0 being the usual one. It is
// gone at the end of the test.
func queue(tb testing.TB, capacity int) *sysvmsg.Queue {
	tb.Helper()
	q, err := sysvmsg.Open(sysvmsg.Private, &sysvmsg.Options{Capacity: capacity})
	must(tb, err)
	tb.Cleanup(func() {
		if err := q.Remove(); err != nil && !errors.Is(err, sysvmsg.ErrRemoved) {
			tb.Error(err)
		}
		queues, err := sysvmsg.List()
		if err != nil || slices.ContainsFunc(queues, func(s sysvmsg.Stat) bool { return s.ID == q.ID() }) {
			tb.Errorf("%v is there after the test, or %v", q, err)
		}
	})
	return q
}

// consumer returns a Consumer of q.
func consumer(tb testing.TB, q *sysvmsg.Queue, aside envelope.Quarantine, o *envelope.Options) *envelope.Consumer {
	tb.Helper()
	c, err := envelope.NewConsumer(q, aside, o)
	must(tb, err)
	return c
}

// wantPayload has c receive a message, without waiting.
func wantPayload(tb testing.TB, c *envelope.Consumer, want string) {
	tb.Helper()
	m, err := c.TryReceive(sysvmsg.Any())
	if err != nil || string(m.Payload) != want {
		tb.Fatalf("TryReceive() = %q, %v; want %q, <nil>", m.Payload, err, want)
	}
}

// wantRaw takes a message from q as it is, without waiting.
func wantRaw(tb testing.TB, q *sysvmsg.Queue, t sysvmsg.Type, want string) {
	tb.Helper()
	buf := make([]byte, 8192)
	n, typ, err := q.TryReceive(sysvmsg.Any(), buf)
	if err != nil || typ != t || string(buf[:n]) != want {
		tb.Fatalf("TryReceive() = %q, %d, %v; want %q, %d, <nil>", buf[:n], typ, err, want, t)
	}
}

// wantMessages fails tb unless q has so many messages.
func wantMessages(tb testing.TB, q *sysvmsg.Queue, want int) {
	tb.Helper()
	if s, err := q.Stat(); err != nil || s.Messages != want {
		tb.Errorf("Stat() = %d messages, %v; want %d, <nil>", s.Messages, err, want)
	}
}

// wantStats fails tb unless c has counted this.
func wantStats(tb testing.TB, c *envelope.Consumer, want envelope.Stats) {
	tb.Helper()
	if diff := cmp.Diff(want, c.Stats()); diff != "" {
		tb.Errorf("Stats (-want +got):\n%s", diff)
	}
}

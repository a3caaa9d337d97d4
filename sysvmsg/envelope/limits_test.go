//go:build linux

package envelope_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

// Each limit works without the other one, and none of them knows what time it was
// when nobody says so.
func TestLimitsOfAge(t *testing.T) {
	q := queue(t, 0)
	now := time.Now()
	clock := func() time.Time { return now }
	for _, test := range []struct {
		sent time.Time
		o    envelope.Options
		good bool
	}{
		{now.Add(-time.Hour), envelope.Options{MaxAge: time.Hour}, true},
		{now.Add(-time.Hour - 1), envelope.Options{MaxAge: time.Hour}, false},
		{now.Add(time.Hour), envelope.Options{MaxAge: time.Hour}, true},
		{time.Time{}, envelope.Options{MaxAge: time.Hour}, false},
		{now.Add(time.Hour), envelope.Options{MaxAhead: time.Hour}, true},
		{now.Add(time.Hour + 1), envelope.Options{MaxAhead: time.Hour}, false},
		{now.Add(-time.Hour), envelope.Options{MaxAhead: time.Hour}, true},
		{time.Time{}, envelope.Options{MaxAhead: time.Hour}, false},
		{time.Time{}, envelope.Options{}, true},
		{now.Add(1e6 * time.Hour), envelope.Options{}, true},
	} {
		must(t, q.TrySend(1, pack(t, envelope.Header{Time: test.sent}, "x")))
		test.o.Now = clock
		_, err := consumer(t, q, envelope.Drop{}, &test.o).TryReceive(sysvmsg.Any())
		if (err == nil) != test.good {
			t.Errorf("sent at %v, now %v, %+v: %v; want it received: %v", test.sent, now, test.o, err, test.good)
		}
	}
	// Further in the future than a Duration holds.
	must(t, q.TrySend(1, pack(t, envelope.Header{Time: now}, "x")))
	o := &envelope.Options{MaxAhead: time.Hour, Now: func() time.Time { return time.Time{} }}
	if m, err := consumer(t, q, envelope.Drop{}, o).TryReceive(sysvmsg.Any()); !errors.Is(err, sysvmsg.ErrEmpty) {
		t.Errorf("sent at %v, now %v: %v, %v; want it stale", now, o.Now(), m, err)
	}
}

func TestErrorsOfTheQueue(t *testing.T) {
	leaktest.Check(t)
	q := queue(t, 100)
	p, c := envelope.NewProducer(q, 0), consumer(t, q, envelope.Drop{}, nil)
	if err := p.Send(within(t), 1, make([]byte, 100-envelope.HeaderSize+1)); !errors.Is(err, sysvmsg.ErrTooLarge) {
		t.Errorf("Send of more than the capacity = %v; want ErrTooLarge", err)
	}
	must(t, p.TrySend(1, make([]byte, 100-envelope.HeaderSize)))
	if err := p.TrySend(1, nil); err != sysvmsg.ErrFull {
		t.Errorf("TrySend = %v; want ErrFull", err)
	}
	if err := p.Send(ended(t), 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v; want context.Canceled", err)
	}
	if _, err := c.Receive(ended(t), sysvmsg.Exact(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("Receive = %v; want context.Canceled", err)
	}
	must(t, q.Remove())
	if _, err := c.Receive(within(t), sysvmsg.Any()); !errors.Is(err, sysvmsg.ErrRemoved) {
		t.Errorf("Receive = %v; want ErrRemoved", err)
	}
	if err := p.Send(within(t), 1, nil); !errors.Is(err, sysvmsg.ErrRemoved) {
		t.Errorf("Send = %v; want ErrRemoved", err)
	}
	if _, err := envelope.NewConsumer(q, nil, nil); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("NewConsumer without a Quarantine = %v; want os.ErrInvalid", err)
	}
}

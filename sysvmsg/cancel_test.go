//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A message that comes just when the context ends is received, or stays in the
// queue.
func TestCancelAsAMessageComes(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	buf := make([]byte, 10)
	received, stayed := 0, 0
	bounded := within(t)
	for round := range 2000 {
		ctx, cancel := context.WithCancel(bounded)
		result := receiveAll(ctx, q, 1)
		eventually(t, "Receive waits", func() bool { return sysvmsg.Blocked() == 1 })
		if round%2 == 0 {
			cancel()
			send(t, q, 1, "x")
		} else {
			send(t, q, 1, "x")
			cancel()
		}
		err := <-result
		_, _, left := q.TryReceive(sysvmsg.Any(), buf)
		switch {
		case err == nil && errors.Is(left, sysvmsg.ErrEmpty):
			received++
		case errors.Is(err, context.Canceled) && left == nil:
			stayed++
		default:
			t.Fatalf("round %d: Receive = %v, then TryReceive = %v; want one message", round, err, left)
		}
	}
	t.Logf("%d received, %d stayed", received, stayed)
}

// A lateContext ends right behind the look that a call takes at it before it waits
// in the kernel.
type lateContext struct {
	context.Context
	cancel context.CancelFunc
	looks  int
}

func (c *lateContext) Err() error {
	c.looks++
	if c.looks != 2 { // the first one is at the beginning
		return c.Context.Err()
	}
	c.cancel()
	// The first signal may come now, and is of no use: the call does not wait yet.
	for start := time.Now(); time.Since(start) < 300*time.Microsecond; {
		runtime.Gosched()
	}
	return nil
}

func TestCancelJustBeforeTheWait(t *testing.T) {
	checkLeaks(t)
	q := private(t, 1)
	send(t, q, 1, "x")
	for range 20 {
		inner, cancel := context.WithCancel(t.Context())
		_, _, err := q.Receive(&lateContext{inner, cancel, 0}, sysvmsg.Exact(2), nil)
		wantError(t, "Receive", err, context.Canceled)
		inner, cancel = context.WithCancel(t.Context())
		err = q.Send(&lateContext{inner, cancel, 0}, 1, []byte("y"))
		wantError(t, "Send", err, context.Canceled)
	}
	wantCount(t, q, 1, 1)
}

// A context that ends at whatever moment around the beginning of the wait ends it.
func TestCancelAtAnyMoment(t *testing.T) {
	checkLeaks(t)
	q, bounded := private(t, 0), within(t)
	for round := range 1000 {
		ctx, cancel := context.WithTimeout(bounded, time.Duration(round%50)*time.Microsecond)
		_, _, err := q.Receive(ctx, sysvmsg.Any(), nil)
		wantError(t, "Receive", err, context.DeadlineExceeded)
		cancel()
	}
}

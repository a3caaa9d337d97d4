//go:build linux

package sysvmsg_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/plait-go/plait/sysvmsg"
)

// wake sends a message to q when a call waits for one. The caller receives from sent.
func wake(q *sysvmsg.Queue) (sent <-chan error) {
	result := make(chan error, 1)
	go func() {
		for sysvmsg.Blocked() == 0 {
			runtime.Gosched()
		}
		result <- q.TrySend(1, []byte("x"))
	}()
	return result
}

// What a context refers to may be large, and is not kept by a call that waited with
// it, whether the context has ended the call or has ended later.
func TestEndedContextIsNotKept(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	type key struct{}
	freed := make(chan struct{}, 2)
	for _, endsCall := range []bool{false, true} {
		value := new([1 << 20]byte)
		runtime.AddCleanup(value, func(c chan<- struct{}) { c <- struct{}{} }, freed)
		ctx, cancel := context.WithCancel(context.WithValue(within(t), key{}, value))
		if endsCall {
			result := receiveAll(ctx, q, 1)
			eventually(t, "Receive waits", func() bool { return sysvmsg.Blocked() == 1 })
			cancel()
			wantError(t, "Receive()", <-result, context.Canceled)
			continue
		}
		sent := wake(q)
		_, _, err := q.Receive(ctx, sysvmsg.Any(), make([]byte, 1))
		must(t, err)
		must(t, <-sent)
		cancel()
	}
	eventually(t, "two values are freed", func() bool {
		runtime.GC()
		return len(freed) == 2
	})
}

// A call that waited in a bubble leaves nothing of the bubble to those outside.
func TestBubble(t *testing.T) {
	checkLeaks(t)
	sysvmsg.ForgetBeds()
	q := private(t, 0)
	sent := wake(q)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, _, err := q.Receive(ctx, sysvmsg.Any(), make([]byte, 1)); err != nil {
			t.Errorf("Receive() = %v; want <nil>", err)
		}
	})
	must(t, <-sent)
	ctx, cancel := context.WithCancel(within(t))
	result := receiveAll(ctx, q, 1)
	eventually(t, "Receive waits", func() bool { return sysvmsg.Blocked() == 1 })
	cancel()
	wantError(t, "Receive()", <-result, context.Canceled)
}

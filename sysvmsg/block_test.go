//go:build linux

package sysvmsg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// receiveAll starts so many goroutines that receive one message each, and returns
// where they report to.
func receiveAll(ctx context.Context, q *sysvmsg.Queue, n int) <-chan error {
	results := make(chan error, n)
	for range n {
		go func() {
			_, _, err := q.Receive(ctx, sysvmsg.Any(), make([]byte, 100))
			results <- err
		}()
	}
	return results
}

func TestCancelManyReceivers(t *testing.T) {
	checkLeaks(t)
	const receivers = 50
	q := private(t, 0)
	before := threads(t)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		results := receiveAll(ctx, q, receivers)
		eventually(t, "all wait", func() bool { return sysvmsg.Blocked() == receivers })
		cancel()
		for range receivers {
			wantError(t, "Receive", <-results, context.Canceled)
		}
	}
	// The runtime keeps threads that it does not need any more, and may want some
	// itself, and those that cancel.
	if n := threads(t); n > before+2*receivers {
		t.Errorf("%d threads, %d before; want %d more at most", n, before, 2*receivers)
	}
	// Whoever was cancelled has taken nothing.
	for range receivers {
		send(t, q, 1, "x")
	}
	results := receiveAll(within(t), q, receivers)
	for range receivers {
		if err := <-results; err != nil {
			t.Errorf("Receive = %v; want <nil>", err)
		}
	}
	wantCount(t, q, 0, 0)
}

func TestContextEnds(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	cause := errors.New("out of work")
	for name, c := range map[string]struct {
		context func() (context.Context, context.CancelFunc)
		want    []error
	}{
		"deadline": {
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 20*time.Millisecond)
			},
			[]error{context.DeadlineExceeded},
		},
		"deadline with a cause": {
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeoutCause(t.Context(), 20*time.Millisecond, cause)
			},
			[]error{context.DeadlineExceeded, cause},
		},
		"cause": {
			func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(t.Context())
				timer := time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
				return ctx, func() { timer.Stop() }
			},
			[]error{context.Canceled, cause},
		},
	} {
		ctx, cancel := c.context()
		_, _, err := q.Receive(ctx, sysvmsg.Any(), nil)
		wantError(t, name+": Receive", err, c.want...)
		cancel()
	}
}

func TestRemoveWakesAll(t *testing.T) {
	checkLeaks(t)
	const each = 20
	q, full := private(t, 0), private(t, 1)
	send(t, full, 1, "x")
	for kind, ctx := range contexts(t) {
		results := receiveAll(ctx, q, each)
		sent := make(chan error, each)
		for range each {
			go func() { sent <- full.Send(ctx, 1, []byte("y")) }()
		}
		eventually(t, "all wait", func() bool { return sysvmsg.Blocked() == 2*each })
		must(t, q.Remove())
		must(t, full.Remove())
		for range each {
			wantError(t, kind+": Receive", <-results, sysvmsg.ErrRemoved)
			wantError(t, kind+": Send", <-sent, sysvmsg.ErrRemoved)
		}
		q, full = private(t, 0), private(t, 1)
		send(t, full, 1, "x")
	}
}

func TestUseAfterRemove(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	ctx, buf := within(t), make([]byte, 10)
	must(t, q.Remove())
	_, _, receive := q.Receive(ctx, sysvmsg.Any(), buf)
	_, _, tryReceive := q.TryReceive(sysvmsg.Any(), buf)
	_, discard := q.Discard(sysvmsg.Any())
	_, stat := q.Stat()
	for name, err := range map[string]error{
		"Send": q.Send(ctx, 1, buf), "TrySend": q.TrySend(1, buf), "Receive": receive, "TryReceive": tryReceive, "Discard": discard,
		"Stat": stat, "SetCapacity": q.SetCapacity(1), "SetPermissions": q.SetPermissions(0o600, -1, -1), "Remove": q.Remove(),
	} {
		wantError(t, name, err, sysvmsg.ErrRemoved)
	}
}

// occupy takes all places, until the function that it returns is called.
func occupy(tb testing.TB) (leave func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	results := receiveAll(ctx, private(tb, 0), sysvmsg.MaxBlocked)
	eventually(tb, "all places are taken", func() bool { return sysvmsg.Blocked() == sysvmsg.MaxBlocked })
	return func() {
		tb.Helper()
		cancel()
		for range sysvmsg.MaxBlocked {
			wantError(tb, "Receive", <-results, context.Canceled)
		}
	}
}

// Those for whom there is no place end with their contexts, and get what comes for
// them although those who have the places wait for ever.
func TestMoreThanMaxBlocked(t *testing.T) {
	checkLeaks(t)
	const more = 20
	leave := occupy(t)
	defer leave()
	q, full := private(t, 0), private(t, 1)
	send(t, full, 1, "x")

	ctx, cancel := context.WithCancel(t.Context())
	results := receiveAll(ctx, q, more)
	sent := make(chan error, 1)
	go func() { sent <- full.Send(ctx, 1, []byte("y")) }()
	if n := sysvmsg.Blocked(); n != sysvmsg.MaxBlocked {
		t.Errorf("%d calls wait in the kernel; want %d", n, sysvmsg.MaxBlocked)
	}
	send(t, q, 1, "z")
	if err := <-results; err != nil {
		t.Errorf("Receive without a place = %v; want <nil>", err)
	}
	_, err := full.Discard(sysvmsg.Any())
	must(t, err)
	if err := <-sent; err != nil {
		t.Errorf("Send without a place = %v; want <nil>", err)
	}
	wantMessage(t, full, sysvmsg.Any(), 1, "y")

	go func() { sent <- q.Remove() }()
	wantError(t, "Receive without a place", <-results, sysvmsg.ErrRemoved)
	must(t, <-sent)
	for range more - 2 {
		wantError(t, "Receive without a place", <-results, sysvmsg.ErrRemoved)
	}
	q = private(t, 0)
	results = receiveAll(ctx, q, more)
	cancel()
	for range more {
		wantError(t, "Receive without a place", <-results, context.Canceled)
	}
}

// A place that becomes free goes to one who waits for it.
func TestPlaceBecomesFree(t *testing.T) {
	checkLeaks(t)
	leave := occupy(t)
	q := private(t, 0)
	results := receiveAll(within(t), q, sysvmsg.MaxBlocked+10)
	leave()
	eventually(t, "all places are taken again", func() bool { return sysvmsg.Blocked() == sysvmsg.MaxBlocked })
	for range sysvmsg.MaxBlocked + 10 {
		send(t, q, 1, "x")
	}
	for range sysvmsg.MaxBlocked + 10 {
		if err := <-results; err != nil {
			t.Errorf("Receive = %v; want <nil>", err)
		}
	}
	wantCount(t, q, 0, 0)
}

// Messages that come while receivers are cancelled are received, or stay: each
// receive either returns one, or has taken none.
func TestCancelWhileMessagesCome(t *testing.T) {
	checkLeaks(t)
	const messages, receivers = 3000, 4
	q := private(t, 0)
	var seen [messages]atomic.Int32
	var wg sync.WaitGroup
	end, stop := context.WithCancel(within(t))
	for i := range receivers {
		wg.Go(func() {
			buf := make([]byte, 4)
			for round := 0; end.Err() == nil; round++ {
				ctx, cancel := context.WithTimeout(end, time.Duration((round*7+i*31)%200)*time.Microsecond)
				if _, _, err := q.Receive(ctx, sysvmsg.Any(), buf); err == nil {
					seen[binary.BigEndian.Uint32(buf)].Add(1)
				}
				cancel()
			}
		})
	}
	for i := range messages {
		must(t, q.Send(end, 1, binary.BigEndian.AppendUint32(nil, uint32(i))))
	}
	eventually(t, "the queue is empty", func() bool {
		s, err := q.Stat()
		return err != nil || s.Messages == 0
	})
	stop()
	wg.Wait()
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("message %d came %d times; want once", i, n)
		}
	}
}

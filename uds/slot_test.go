//go:build linux

package uds_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds/leaktest"
)

// Of two who receive, one is cancelled, whichever waits in front, and the other
// receives.
func TestTwoReceivers(t *testing.T) {
	for _, kind := range kinds() {
		for front := range 2 {
			leaktest.Check(t)
			a, b := pair(t, kind)
			var cancel [2]context.CancelCauseFunc
			var call [2]<-chan error
			for i := range 2 {
				var ctx context.Context
				ctx, cancel[i] = context.WithCancelCause(t.Context())
				call[i] = waiting(t, func() error { return second(b.Receive(ctx, make([]byte, 1))) })
			}
			cancel[front](errEnough)
			if err := result(t, call[front]); !errors.Is(err, errEnough) {
				t.Errorf("%s: Receive of the cancelled, %d: %v, want the cause", kind, front, err)
			}
			other := 1 - front
			if len(call[other]) > 0 {
				t.Errorf("%s: Receive of the other: %v, want it to wait", kind, <-call[other])
			}
			must(t, second(a.Send(t.Context(), []byte("x"))))
			if err := result(t, call[other]); err != nil {
				t.Errorf("%s: Receive of the other, %d: %v", kind, other, err)
			}
			cancel[other](nil)
		}
	}
}

// The same for two who send.
func TestTwoSenders(t *testing.T) {
	for _, kind := range kinds() {
		for front := range 2 {
			leaktest.Check(t)
			a, b := pair(t, kind)
			stuff(t, a, make([]byte, 1024))
			var cancel [2]context.CancelCauseFunc
			var call [2]<-chan error
			for i := range 2 {
				var ctx context.Context
				ctx, cancel[i] = context.WithCancelCause(t.Context())
				call[i] = waiting(t, func() error { return second(a.Send(ctx, make([]byte, 1024))) })
			}
			cancel[front](errEnough)
			if err := result(t, call[front]); !errors.Is(err, errEnough) {
				t.Errorf("%s: Send of the cancelled, %d: %v, want the cause", kind, front, err)
			}
			other := 1 - front
			if len(call[other]) > 0 {
				t.Errorf("%s: Send of the other: %v, want it to wait", kind, <-call[other])
			}
			drain(t, b)
			if err := result(t, call[other]); err != nil {
				t.Errorf("%s: Send of the other, %d: %v", kind, other, err)
			}
			cancel[other](nil)
		}
	}
}

// Whoever waits behind another is ended by the deadline and by Close, too.
func TestWaitBehindAnother(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		both := func() [2]<-chan error {
			call := func() error { return w.call(patient(tb)) }
			return [2]<-chan error{waiting(tb, call), waiting(tb, call)}
		}
		calls := both()
		must(tb, w.c.SetDeadline(time.Now().Add(time.Millisecond)))
		for _, call := range calls {
			if err := result(tb, call); !errors.Is(err, os.ErrDeadlineExceeded) {
				tb.Errorf("%s: %v, want os.ErrDeadlineExceeded", w.name, err)
			}
		}
		must(tb, w.c.SetDeadline(time.Time{}))
		calls = both()
		must(tb, w.c.Close())
		for _, call := range calls {
			if err := result(tb, call); !errors.Is(err, net.ErrClosed) {
				tb.Errorf("%s: %v, want net.ErrClosed", w.name, err)
			}
		}
		again := w.c.Close()
		if !errors.Is(again, net.ErrClosed) {
			tb.Errorf("second Close: %v, want net.ErrClosed", again)
		}
	})
}

// Messages of many senders go to one each of many receivers, and none is lost when
// some of those are cancelled again and again.
func TestManyReceivers(t *testing.T) {
	const senders, messages = 4, 1000
	for _, kind := range packets() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		ctx, stop := context.WithCancel(patient(t))
		var senderGroup, receiverGroup sync.WaitGroup
		var mu sync.Mutex
		var got []int
		for i := range 4 {
			receiverGroup.Go(func() {
				p := make([]byte, 10)
				for ctx.Err() == nil {
					own, cancel := ctx, context.CancelFunc(func() {})
					if i%2 == 0 {
						own, cancel = context.WithTimeout(ctx, 100*time.Microsecond)
					}
					n, err := b.Receive(own, p)
					cancel()
					if err != nil {
						continue
					}
					number, _ := strconv.Atoi(string(p[:n])) // 0 would come twice
					mu.Lock()
					if got = append(got, number); len(got) == senders*messages {
						stop()
					}
					mu.Unlock()
				}
			})
		}
		for s := range senders {
			senderGroup.Go(func() {
				for i := range messages {
					if _, err := a.Send(patient(t), []byte(strconv.Itoa(s*messages+i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senderGroup.Wait()
		receiverGroup.Wait()
		stop()
		slices.Sort(got)
		if len(got) != senders*messages || len(slices.Compact(got)) != senders*messages {
			t.Errorf("%s: %d messages received, want each of %d once", kind, len(got), senders*messages)
		}
	}
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

var errEnough = errors.New("enough")

// A call whose context has ended does nothing, also if it could.
func TestEndedContext(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		ctx, cancel := context.WithCancelCause(tb.Context())
		cancel(errEnough)
		for range 2 {
			if err := w.call(ctx); !errors.Is(err, errEnough) {
				tb.Errorf("%s: %v, want the cause", w.name, err)
			}
			w.end()
		}
		if err := w.call(patient(tb)); err != nil {
			tb.Errorf("%s after it: %v", w.name, err)
		}
	})
}

// The end of the context ends the waiting, with its cause, and the next call works.
func TestCancel(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		for range 3 {
			ctx, cancel := context.WithCancelCause(tb.Context())
			call := waiting(tb, func() error { return w.call(ctx) })
			cancel(errEnough)
			if err := result(tb, call); !errors.Is(err, errEnough) {
				tb.Errorf("%s: %v, want the cause", w.name, err)
			}
		}
		ctx, cancel := context.WithCancel(tb.Context())
		call := waiting(tb, func() error { return w.call(ctx) })
		cancel()
		if err := result(tb, call); !errors.Is(err, context.Canceled) {
			tb.Errorf("%s: %v, want context.Canceled", w.name, err)
		}
		call = waiting(tb, func() error { return w.call(patient(tb)) })
		w.end()
		if err := result(tb, call); err != nil {
			tb.Errorf("%s after it: %v", w.name, err)
		}
	})
}

// A context's deadline is a timeout, to those who ask package net's way.
func TestContextDeadline(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Millisecond)
		defer cancel()
		for range 2 {
			err := w.call(ctx)
			var told net.Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &told) || !told.Timeout() {
				tb.Errorf("%s: %v, want context.DeadlineExceeded, a timeout", w.name, err)
			}
		}
		w.end()
		if err := w.call(context.WithoutCancel(ctx)); err != nil {
			tb.Errorf("%s after it: %v", w.name, err)
		}
	})
}

// Contexts of every make serve, one after the other, and those of before do no harm.
func TestManyContexts(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		kept, cancelKept := context.WithCancel(tb.Context())
		defer cancelKept()
		for i := range 8 {
			ended, cancel := context.WithCancelCause(kept)
			call := waiting(tb, func() error { return w.call(ended) })
			cancel(errEnough)
			if err := result(tb, call); !errors.Is(err, errEnough) {
				tb.Errorf("%s %d: %v, want the cause", w.name, i, err)
			}
			limited, cancelLimited := context.WithTimeout(kept, time.Millisecond)
			if err := w.call(limited); !errors.Is(err, context.DeadlineExceeded) {
				tb.Errorf("%s %d: %v, want context.DeadlineExceeded", w.name, i, err)
			}
			cancelLimited()
		}
		type key struct{}
		done := make(chan struct{})
		other := context.WithValue(foreign{kept, done}, key{}, 1)
		call := waiting(tb, func() error { return w.call(other) })
		cancelKept()
		close(done)
		if err := result(tb, call); !errors.Is(err, context.Canceled) {
			tb.Errorf("%s: %v, want context.Canceled", w.name, err)
		}
		call = waiting(tb, func() error { return w.call(context.Background()) }) //nolint:usetesting // it has no Done
		w.end()
		if err := result(tb, call); err != nil {
			tb.Errorf("%s without a context: %v", w.name, err)
		}
	})
}

// foreign is a context that package context does not know.
type foreign struct {
	context.Context
	done <-chan struct{}
}

func (f foreign) Done() <-chan struct{} { return f.done }

// A context that never ends keeps nothing of a Conn that is closed: no goroutine
// waits for it.
func TestCloseForgetsContext(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		never := foreign{t.Context(), make(chan struct{})}
		call := waiting(t, func() error { return second(b.Receive(never, make([]byte, 1))) })
		must(t, second(a.Send(never, []byte("x"))))
		must(t, result(t, call))
		must(t, b.Close())
	}
}

// The end of one context does not end a wait that began with the next one, however
// late the news of it comes.
func TestLateCancel(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		long := patient(t)
		for i := range 2000 {
			first, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- second(b.Receive(first, make([]byte, 1))) }()
			if i%2 == 0 {
				cancel()
			} else {
				go cancel()
			}
			if err := result(t, done); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: Receive: %v, want context.Canceled", kind, err)
			}
			go func() { done <- second(b.Receive(long, make([]byte, 1))) }()
			must(t, second(a.Send(t.Context(), []byte("x"))))
			if err := result(t, done); err != nil {
				t.Fatalf("%s: Receive after another was cancelled: %v", kind, err)
			}
			cancel()
		}
	}
}

// A context that has served a wait ends the next one, too, also if it ends just when
// that begins.
func TestCancelAtEntry(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		for range 3000 {
			ctx, cancel := context.WithCancel(t.Context())
			first, next := make(chan error), make(chan error, 1)
			go func() {
				first <- second(b.Receive(ctx, make([]byte, 1)))
				next <- second(b.Receive(ctx, make([]byte, 1)))
			}()
			runtime.Gosched() // it may wait now
			must(t, second(a.Send(t.Context(), []byte("x"))))
			must(t, result(t, first))
			cancel()
			if err := result(t, next); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: Receive: %v, want context.Canceled", kind, err)
			}
		}
	}
}

// A receive that ends with its context has taken nothing.
func TestCancelledReceiveLosesNothing(t *testing.T) {
	const messages = 5000
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		sends, cancels := make(chan byte), make(chan context.CancelFunc)
		var wg sync.WaitGroup
		wg.Go(func() {
			for m := range sends {
				if _, err := a.Send(t.Context(), []byte{m}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for cancel := range cancels {
				cancel()
			}
		})
		cancelled, p := 0, make([]byte, 1)
		for i, sent := 0, 0; i < messages; {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Microsecond)
			if sent == i {
				sends <- byte(i)
				sent++
			}
			if i%4 != 0 {
				cancels <- cancel
			}
			n, err := b.Receive(ctx, p)
			cancel()
			switch {
			case n == 0 && ctx.Err() != nil && errors.Is(err, ctx.Err()):
				cancelled++
			case n != 1 || err != nil || p[0] != byte(i):
				t.Fatalf("%s: Receive = %d, %v with message %d; want message %d", kind, n, err, p[0], byte(i))
			default:
				i++
			}
		}
		close(sends)
		close(cancels)
		wg.Wait()
		if n, err := b.TryReceive(p); err != uds.ErrEmpty {
			t.Errorf("%s: TryReceive behind the last = %d, %v; want ErrEmpty", kind, n, err)
		}
		t.Logf("%s: %d receives were cancelled", kind, cancelled)
	}
}

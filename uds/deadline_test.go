//go:build linux

package uds_test

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/plait-go/plait/uds/leaktest"
)

// checkDeadline fails tb unless err says that a deadline has passed.
func checkDeadline(tb testing.TB, what string, err error) {
	tb.Helper()
	var told net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &told) || !told.Timeout() {
		tb.Errorf("%s: %v, want os.ErrDeadlineExceeded, a timeout", what, err)
	}
}

// A deadline that has passed ends every call, also one that need not wait, and counts
// until there is another.
func TestPastDeadline(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		must(tb, w.c.SetDeadline(time.Now().Add(-time.Second)))
		for range 2 {
			checkDeadline(tb, w.name, w.call(patient(tb)))
			w.end()
		}
		_, err := w.c.TryReceive(make([]byte, 1))
		checkDeadline(tb, "TryReceive", err)
		_, err = w.c.TrySend(make([]byte, 1))
		checkDeadline(tb, "TrySend", err)
		must(tb, w.c.SetDeadline(time.Now().Add(time.Hour)))
		if err := w.call(patient(tb)); err != nil {
			tb.Errorf("%s with a later deadline: %v", w.name, err)
		}
	})
}

// A deadline ends the waiting, whether set before, meanwhile, or put forward, and one
// that is taken back does not.
func TestDeadline(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		must(tb, w.c.SetDeadline(time.Now().Add(2*time.Millisecond)))
		checkDeadline(tb, w.name, w.call(patient(tb)))
		checkDeadline(tb, w.name+" again", w.call(context.WithoutCancel(tb.Context())))

		must(tb, w.c.SetDeadline(time.Now().Add(time.Hour)))
		call := waiting(tb, func() error { return w.call(patient(tb)) })
		must(tb, w.c.SetDeadline(time.Now()))
		checkDeadline(tb, w.name+" over SetDeadline", result(tb, call))

		must(tb, w.c.SetDeadline(time.Time{}))
		call = waiting(tb, func() error { return w.call(patient(tb)) })
		must(tb, w.c.SetDeadline(time.Now().Add(time.Hour)))
		must(tb, w.c.SetDeadline(time.Time{}))
		if len(call) > 0 {
			tb.Errorf("%s without a deadline: %v, want it to wait", w.name, <-call)
		}
		w.end()
		if err := result(tb, call); err != nil {
			tb.Errorf("%s without a deadline: %v", w.name, err)
		}
	})
}

// Context and deadline count both: what comes first ends the wait, by its own error,
// and the other counts on for the next.
func TestDeadlineAndContext(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		for range 3 {
			must(tb, w.c.SetDeadline(time.Now().Add(time.Hour)))
			ctx, cancel := context.WithCancelCause(tb.Context())
			call := waiting(tb, func() error { return w.call(ctx) })
			cancel(errEnough)
			if err := result(tb, call); !errors.Is(err, errEnough) {
				tb.Errorf("%s: %v, want the cause", w.name, err)
			}
			// The end of a context leaves the deadline as it was.
			call = waiting(tb, func() error { return w.call(patient(tb)) })
			if len(call) > 0 {
				tb.Errorf("%s after a cancelled one: %v, want it to wait", w.name, <-call)
			}
			must(tb, w.c.SetDeadline(time.Now().Add(time.Millisecond)))
			checkDeadline(tb, w.name, result(tb, call))
		}
		// A deadline that is set while a context ends is not forgotten.
		must(tb, w.c.SetDeadline(time.Time{}))
		for range 50 {
			ctx, cancel := context.WithCancelCause(tb.Context())
			call := make(chan error, 1)
			go func() { call <- w.call(ctx) }()
			go cancel(errEnough)
			must(tb, w.c.SetDeadline(time.Now().Add(-time.Second)))
			if err := result(tb, call); !errors.Is(err, errEnough) && !errors.Is(err, os.ErrDeadlineExceeded) {
				tb.Errorf("%s: %v, want the cause or os.ErrDeadlineExceeded", w.name, err)
			}
			checkDeadline(tb, w.name, w.call(patient(tb)))
			must(tb, w.c.SetDeadline(time.Time{}))
		}
		w.end()
		if err := w.call(patient(tb)); err != nil {
			tb.Errorf("%s after all: %v", w.name, err)
		}
	})
}

// A deadline that is set meanwhile does not hide that the context has ended.
func TestDeadlineOverCancel(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		_, b := pair(t, kind)
		for range 150 {
			ctx, cancel := context.WithCancelCause(t.Context())
			call := waiting(t, func() error { return second(b.Receive(ctx, make([]byte, 1))) })
			cancel(errEnough)
			for range 30 {
				must(t, b.SetDeadline(time.Now().Add(time.Hour)))
				runtime.Gosched()
			}
			if err := result(t, call); !errors.Is(err, errEnough) {
				t.Errorf("%s: Receive: %v, want the cause", kind, err)
			}
		}
	}
}

// Each direction has its own deadline.
func TestDirectionDeadline(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		must(t, a.SetReadDeadline(time.Unix(1, 0)))
		must(t, b.SetWriteDeadline(time.Unix(1, 0)))
		if _, err := a.Send(patient(t), []byte("x")); err != nil {
			t.Errorf("%s: Send: %v", kind, err)
		}
		receives(t, b, "x")
		checkDeadline(t, "Read", second(a.Read(make([]byte, 1))))
		checkDeadline(t, "Write", second(b.Write(make([]byte, 1))))
		must(t, a.Close())
		for what, set := range map[string]func(time.Time) error{
			"SetDeadline": a.SetDeadline, "SetReadDeadline": a.SetReadDeadline, "SetWriteDeadline": a.SetWriteDeadline,
		} {
			if err := set(time.Now()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %s after Close: %v, want net.ErrClosed", kind, what, err)
			}
		}
	}
}

//go:build linux

package uds

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// watch ends the waiting of a direction with a context, by a deadline in the past,
// beside the deadline that the caller may have set.
//
// What was asked of a context stays asked until another one comes, so that waiting
// again and again with the same one costs nothing. It does no harm between calls.
type watch struct {
	set    func(time.Time) error // the descriptor's SetReadDeadline or SetWriteDeadline
	pokeFn func()                // poke, made once
	limit  atomic.Int64          // the caller's deadline, Unix time in ns; 0 for none

	mu       sync.Mutex
	deadline time.Time // the caller's
	waiting  bool      // a call is parked, or about to be
	poked    bool      // the descriptor's deadline is in the past, for poke's sake
	done     <-chan struct{}
	stop     func() bool
	closed   bool
}

// past is a deadline that has passed.
var past = time.Unix(1, 0) //nolint:gochecknoglobals // a constant

// start is what limits count from: monotonic, so that setting the clock moves none.
var start = time.Now() //nolint:gochecknoglobals // a constant

// expired reports whether the caller's deadline has passed.
func (w *watch) expired() bool {
	limit := w.limit.Load()
	return limit != 0 && int64(time.Since(start)) >= limit
}

// setDeadline sets the caller's deadline; the zero time is none.
func (w *watch) setDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	limit := int64(0)
	if !t.IsZero() {
		// Not t.UnixNano, which is wrong for times that int64 has no room for: Sub
		// gives the longest Duration then.
		now := time.Since(start)
		limit = max(int64(now)+min(int64(time.Until(t)), math.MaxInt64-int64(now)), 1)
	}
	w.limit.Store(limit)
	if w.poked {
		return nil // disarm sets it
	}
	if err := w.set(t); err != nil {
		return net.ErrClosed // the only reason for a socket
	}
	return nil
}

// arm lets the end of ctx end the waiting that comes now.
func (w *watch) arm(ctx context.Context) error {
	done := ctx.Done()
	w.mu.Lock()
	w.waiting = true
	if done == nil || w.closed {
		w.mu.Unlock()
		return nil
	}
	if done != w.done {
		w.forget()
		w.done, w.stop = done, context.AfterFunc(ctx, w.pokeFn)
	}
	w.mu.Unlock()
	// It may have ended before anybody waited.
	if ctx.Err() != nil {
		w.disarm()
		return context.Cause(ctx)
	}
	return nil
}

// disarm says that nobody waits any more. It reports whether there was a poke
// meanwhile, and restores the caller's deadline if so.
func (w *watch) disarm() (poked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	w.release()
	if poked = w.poked; poked {
		w.poked = false
		_ = w.set(w.deadline) // closed, then
	}
	return poked
}

// poke ends the waiting, and has the call made again if its context has not ended.
// It runs when a context has, when the kernel tells nobody that something has changed,
// or when somebody else has made the call.
func (w *watch) poke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.waiting:
		w.release()
	case !w.poked:
		w.poked = true
		_ = w.set(past) // closed, then
	}
}

// release lets go of a context that has ended, and of all that it refers to.
func (w *watch) release() {
	select {
	case <-w.done:
		w.done, w.stop = nil, nil
	default:
	}
}

// close lets go of the context.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.forget()
}

func (w *watch) forget() {
	if w.stop != nil {
		w.stop()
	}
	w.done, w.stop = nil, nil
}

//go:build linux

package sysvmsg_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A message costs no allocation, in either direction. The race detector has
// sync.Pool forget buffers now and then: that is less than one for a call.
func TestAllocations(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	ctx := within(t)
	p := []byte("0123456789")
	buf := make([]byte, 8192)
	try := func(name string, runs int, f func() error) {
		n := testing.AllocsPerRun(runs, func() {
			if err := f(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations; want 0", name, n)
		}
	}
	const runs = 200
	for range 2 {
		try("Send", runs, func() error { return q.Send(ctx, 1, p) })
		try("TrySend", runs, func() error { return q.TrySend(2, p) })
		if canPeek(t) {
			try("Peek", runs, func() error { _, _, err := q.Peek(0, buf); return err })
		}
		try("Receive", runs, func() error { _, _, err := q.Receive(ctx, sysvmsg.Exact(1), buf); return err })
		try("TryReceive", runs, func() error { _, _, err := q.TryReceive(sysvmsg.Lowest(9), buf); return err })
	}
	try("TryReceive of nothing", runs, func() error {
		if _, _, err := q.TryReceive(sysvmsg.Any(), buf); err != sysvmsg.ErrEmpty {
			return err
		}
		return nil
	})
	wantCount(t, q, 0, 0)
}

// Waiting costs none either, also where a context may end it.
func TestWaitingAllocatesNothing(t *testing.T) {
	checkLeaks(t)
	there, back := private(t, 0), private(t, 0)
	ctx, cancel := context.WithCancel(within(t))
	ended := make(chan error, 1)
	go func() {
		buf := make([]byte, 64)
		for {
			n, _, err := there.Receive(ctx, sysvmsg.Any(), buf)
			if err == nil {
				err = back.Send(ctx, 1, buf[:n])
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	buf := make([]byte, 64)
	const runs = 500
	n := testing.AllocsPerRun(runs, func() {
		must(t, there.Send(ctx, 1, buf[:10]))
		_, _, err := back.Receive(ctx, sysvmsg.Any(), buf)
		must(t, err)
	})
	cancel()
	wantError(t, "Receive()", <-ended, context.Canceled)
	if n > allowed {
		t.Errorf("there and back: %v allocations; want %v", n, allowed)
	}
}

// What is too large to be sent is refused before memory is made for it.
func TestNoMemoryForWhatIsTooLarge(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	p := make([]byte, 16<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantError(t, "TrySend(16 MiB)", q.TrySend(1, p), sysvmsg.ErrTooLarge)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// heap returns the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // for what pools still held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A hundred thousand operations leave everything as it was.
func TestManyOperations(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	ctx, stop := context.WithCancel(t.Context())
	p, buf := make([]byte, 1000), make([]byte, 8192)
	round := func(rounds int) {
		for i := range rounds {
			must(t, q.Send(ctx, 1, p))
			_, _, err := q.Receive(ctx, sysvmsg.Any(), buf)
			must(t, err)
			if i%100 != 0 {
				continue
			}
			brief, cancel := context.WithTimeout(ctx, time.Microsecond)
			_, _, err = q.Receive(brief, sysvmsg.Any(), buf)
			wantError(t, "Receive", err, context.DeadlineExceeded)
			cancel()
			other, err := sysvmsg.Open(sysvmsg.Private, nil)
			must(t, err)
			must(t, other.Remove())
		}
	}
	round(1000)
	bytes, tasks := heap(), threads(t)
	round(50_000)
	stop()
	if now := heap(); now > bytes+64<<10 {
		t.Errorf("%d bytes in use, %d before", now, bytes)
	}
	// Threads come as the runtime likes, but not with operations.
	if now := threads(t); now > tasks+10 {
		t.Errorf("%d threads, %d before", now, tasks)
	}
	wantCount(t, q, 0, 0)
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// resources are what a program has of the system.
type resources struct {
	threads int
	heap    uint64 // bytes
}

// measure returns what the process has now.
func measure(tb testing.TB) (r resources) {
	tb.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	must(tb, err)
	runtime.GC()
	runtime.GC() // what finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return resources{len(threads), m.HeapAlloc}
}

// steady calls f many times and fails t unless all is as before.
func steady(t *testing.T, what string, calls int, f func(i int)) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		leaktest.Check(t)
		for i := range 100 {
			f(i)
		}
		before := measure(t)
		if testing.Short() {
			calls /= 20
		}
		for i := range calls {
			f(i)
		}
		after := measure(t)
		if after.threads > before.threads+16 || after.heap > before.heap+1<<20 {
			t.Errorf("%d threads and %d bytes of memory, %d and %d before", after.threads, after.heap, before.threads, before.heap)
		}
	})
}

// However often something is done, nothing is left of it.
func TestSteady(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			a, b := pair(t, kind)
			p, buf := make([]byte, 100), make([]byte, 100)
			ended := endedContext(t)
			steady(t, "pairs", 5_000, func(int) {
				x, y, err := uds.Pair(kind)
				must(t, err)
				must(t, errors.Join(x.Close(), y.Close()))
			})
			steady(t, "messages", 50_000, func(int) {
				must(t, second(a.Send(t.Context(), p)))
				must(t, second(b.Receive(t.Context(), buf)))
			})
			steady(t, "contexts", 20_000, func(i int) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				cancelled := make(chan struct{})
				if i%16 == 0 {
					go func() { cancel(); close(cancelled) }()
				} else {
					cancel()
					close(cancelled)
				}
				_, err := b.Receive(ctx, buf)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Receive: %v, want context.Canceled", err)
				}
				<-cancelled
			})
			steady(t, "refusals", 30_000, func(int) {
				if _, err := b.TryReceive(buf); !errors.Is(err, uds.ErrEmpty) {
					t.Errorf("TryReceive: %v, want ErrEmpty", err)
				}
				if _, err := b.Receive(ended, buf); !errors.Is(err, errEnough) {
					t.Errorf("Receive: %v, want the cause", err)
				}
			})
			c := a
			steady(t, "styles", 5_000, func(int) {
				s, err := c.Detach()
				must(t, err)
				c, err = s.Attach()
				must(t, err)
			})
			must(t, c.Close())
		})
	}
}

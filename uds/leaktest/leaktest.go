//go:build linux

package leaktest

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long what ends by itself may take.
const patience = 5 * time.Second

// Check fails tb unless it ends with the descriptors and the number of goroutines
// that it has now. It is to be called before anything is opened: cleanups that are
// registered later run earlier.
func Check(tb testing.TB) {
	tb.Helper()
	fds, goroutines := FDs(tb), runtime.NumGoroutine()
	tb.Cleanup(func() {
		if tb.Failed() {
			return
		}
		// Goroutines that have done their last act may take a moment to be gone, and
		// so may the descriptors that they close then.
		deadline := time.Now().Add(patience)
		for time.Now().Before(deadline) && (runtime.NumGoroutine() > goroutines || !maps.Equal(FDs(tb), fds)) {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			stacks := make([]byte, 1<<20)
			tb.Errorf("%d goroutines, %d before:\n%s", n, goroutines, stacks[:runtime.Stack(stacks, true)])
		}
		if now := FDs(tb); !maps.Equal(now, fds) {
			tb.Errorf("descriptors: %q, before: %q", now, fds)
		}
	})
}

// FDs returns what the process has open, by path in /proc, but for what the runtime
// opens once and keeps.
func FDs(tb testing.TB) map[string]string {
	tb.Helper()
	paths, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		tb.Fatal(err)
	}
	fds := make(map[string]string)
	for _, path := range paths {
		target, err := os.Readlink(path)
		if err == nil && !slices.Contains(kept, path) && !strings.HasSuffix(target, "/fd") {
			fds[path] = target
		}
	}
	return fds
}

// kept is what the runtime's network poller has open, once it is in use.
var kept = func() []string { //nolint:gochecknoglobals // found out once, before the first test
	before, _ := filepath.Glob("/proc/self/fd/*")
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	paths, _ := filepath.Glob("/proc/self/fd/*")
	_, _ = r.Close(), w.Close()
	after, _ := filepath.Glob("/proc/self/fd/*")
	return slices.DeleteFunc(paths, func(path string) bool {
		return slices.Contains(before, path) || !slices.Contains(after, path)
	})
}()

//go:build linux

package chunk_test

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

// checkLeaks fails tb unless it ends with the descriptors and the number of
// goroutines that it has now. It is to be called before anything is opened.
func checkLeaks(tb testing.TB) {
	tb.Helper()
	fds, goroutines := openFDs(tb), runtime.NumGoroutine()
	tb.Cleanup(func() {
		if tb.Failed() {
			return
		}
		// Goroutines that have done their last act may take a moment to be gone.
		deadline := time.Now().Add(5 * time.Second)
		for time.Now().Before(deadline) && (runtime.NumGoroutine() > goroutines || !maps.Equal(openFDs(tb), fds)) {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			stacks := make([]byte, 1<<20)
			tb.Errorf("%d goroutines, %d before:\n%s", n, goroutines, stacks[:runtime.Stack(stacks, true)])
		}
		if now := openFDs(tb); !maps.Equal(now, fds) {
			tb.Errorf("descriptors: %q, before: %q", now, fds)
		}
	})
}

// openFDs returns what the process has open, by descriptor, but for what the
// runtime opens once and keeps.
func openFDs(tb testing.TB) map[string]string {
	tb.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	must(tb, err)
	fds := make(map[string]string)
	for _, name := range names {
		target, err := os.Readlink(name)
		if err == nil && !slices.Contains(kept, name) && !strings.HasSuffix(target, "/fd") {
			fds[name] = target
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
	names, _ := filepath.Glob("/proc/self/fd/*")
	_, _ = r.Close(), w.Close()
	after, _ := filepath.Glob("/proc/self/fd/*")
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(before, name) || !slices.Contains(after, name)
	})
}()

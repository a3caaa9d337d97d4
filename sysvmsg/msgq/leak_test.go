//go:build linux

package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// checkLeaks fails tb unless it ends with the descriptors and the number of
// goroutines that it has now. Whoever calls queue has called it.
func checkLeaks(tb testing.TB) {
	tb.Helper()
	r, w, err := os.Pipe() // has the runtime open what it keeps
	must(tb, errors.Join(err, r.Close(), w.Close()))
	fds, goroutines := openFDs(tb), runtime.NumGoroutine()
	tb.Cleanup(func() {
		if tb.Failed() {
			return
		}
		// Goroutines that have done their last act may take a moment to be gone.
		deadline := time.Now().Add(testPatience)
		for time.Now().Before(deadline) && (runtime.NumGoroutine() > goroutines || !maps.Equal(openFDs(tb), fds)) {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			tb.Errorf("%d goroutines; want %d", n, goroutines)
		}
		if diff := cmp.Diff(fds, openFDs(tb)); diff != "" {
			tb.Errorf("descriptors (-before +after):\n%s", diff)
		}
	})
}

// openFDs returns what the process has open, by descriptor.
func openFDs(tb testing.TB) map[string]string {
	tb.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	must(tb, err)
	fds := make(map[string]string)
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil && !strings.HasSuffix(target, "/fd") {
			fds[name] = target
		}
	}
	return fds
}

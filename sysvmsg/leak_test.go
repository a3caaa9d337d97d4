//go:build linux

package sysvmsg_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// checkLeaks fails tb unless it ends with the descriptors and the number of
// goroutines that it has now, and no place taken. It is to be called first.
func checkLeaks(tb testing.TB) {
	tb.Helper()
	startPoller(tb)
	fds, goroutines := openFDs(tb), runtime.NumGoroutine()
	tb.Cleanup(func() {
		if tb.Failed() {
			return
		}
		// Goroutines that have done their last act may take a moment to be gone.
		deadline := time.Now().Add(patience)
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
		if n := sysvmsg.Blocked(); n > 0 {
			tb.Errorf("%d calls wait in the kernel", n)
		}
	})
}

// startPoller has the runtime open what it keeps open for its network poller.
func startPoller(tb testing.TB) {
	tb.Helper()
	r, w, err := os.Pipe()
	must(tb, err)
	must(tb, r.Close())
	must(tb, w.Close())
}

// openFDs returns what the process has open, by descriptor.
func openFDs(tb testing.TB) map[string]string {
	tb.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	must(tb, err)
	fds := make(map[string]string)
	for _, name := range names {
		target, err := os.Readlink(name)
		if err == nil && !strings.HasSuffix(target, "/fd") {
			fds[name] = target
		}
	}
	return fds
}

// threads returns how many threads the process has. The runtime keeps those that
// it has once started.
func threads(tb testing.TB) int {
	tb.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(tb, err)
	return len(tasks)
}

//go:build linux

package sysvmsg_test

import (
	"os"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/uds/leaktest"
)

// checkLeaks fails tb unless it ends with the descriptors and the number of
// goroutines that it has now, and no place taken. It is to be called first.
func checkLeaks(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		if n := sysvmsg.Blocked(); n > 0 && !tb.Failed() {
			tb.Errorf("%d calls wait in the kernel", n)
		}
	})
	leaktest.Check(tb) // waits until goroutines are gone, before that is looked at
}

// threads returns how many threads the process has. The runtime keeps those that
// it has once started.
func threads(tb testing.TB) int {
	tb.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(tb, err)
	return len(tasks)
}

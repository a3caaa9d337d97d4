//go:build linux

package dispatch_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain checks that the tests together leave no descriptor and no goroutine behind.
func TestMain(m *testing.M) {
	flag.Parse()
	fds, goroutines := opened(), runtime.NumGoroutine()
	m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		return // which has processes of its own
	}
	deadline := time.Now().Add(5 * time.Second) // what ends by itself takes a moment
	for time.Now().Before(deadline) && (opened() > fds || runtime.NumGoroutine() > goroutines) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); opened() > fds || n > goroutines {
		panic(fmt.Sprintf("%d descriptors, %d before; %d goroutines, %d before", opened(), fds, n, goroutines))
	}
}

// opened returns how many descriptors are open, but for those of the runtime's poller,
// which stays.
func opened() int {
	n := 0
	for fd := range 1000 {
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err == nil && target != "anon_inode:[eventpoll]" && target != "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}

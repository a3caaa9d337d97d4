//go:build linux

package userprocess

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
)

// Where the runtime's poller does not take the pidfd, as here a file that it knows
// nothing of, a thread waits, and the child can be killed all the same.
func TestWatchWithoutPoller(t *testing.T) {
	leaktest.Check(t)
	plain, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	children.enter()
	attr := &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}}
	pid, err := children.start("/bin/sleep", []string{"sleep", "600"}, attr)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{name: "sleep", pid: pid, done: make(chan struct{})}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(plain)
	}()
	for !waits(t) { // or the child might have ended before
	}
	if err := p.Kill(); err != nil {
		t.Errorf("Kill: %v", err)
	}
	if exit, err := p.Wait(); exit.Signal != unix.SIGKILL || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
	<-watched
}

// waits reports whether a thread of this process waits for a child.
func waits(t *testing.T) bool {
	t.Helper()
	calls, err := filepath.Glob("/proc/self/task/*/syscall")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range calls {
		text, _ := os.ReadFile(name) // or the thread has ended
		number, _, _ := strings.Cut(string(text), " ")
		if n, err := strconv.Atoi(number); err == nil && (n == unix.SYS_WAITID || n == unix.SYS_WAIT4) {
			return true
		}
	}
	return false
}

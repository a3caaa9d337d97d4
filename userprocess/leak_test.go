//go:build linux

package userprocess_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

func lockForGood() { runtime.LockOSThread() }

// runInThreads has threads come and go.
func runInThreads(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			runtime.LockOSThread() // ends with the goroutine
			unix.Getpid()
		})
	}
	all.Wait()
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// Many children cost a goroutine each, and no thread.
func TestManyChildren(t *testing.T) {
	leaktest.Check(t)
	const n = 100
	begun(t, &userprocess.Command{Role: "deaf"}) // what is made once is there
	goroutines, before := runtime.NumGoroutine(), threads(t)
	var all sync.WaitGroup
	children := make([]*userprocess.Process, n)
	for i := range n {
		all.Go(func() { // at once
			p, err := (&userprocess.Command{Path: "/bin/sleep", Args: []string{"600"}}).Start(t.Context())
			if err != nil {
				t.Error(err)
			}
			children[i] = p
		})
	}
	all.Wait()
	if got := runtime.NumGoroutine() - goroutines; got > n {
		t.Errorf("%d more goroutines with %d more children", got, n)
	}
	if got := threads(t) - before; got > 8 { // of the runtime, for system calls
		t.Errorf("%d more threads with %d more children", got, n)
	}
	pids := make(map[int]bool)
	for _, p := range children {
		if p == nil {
			continue
		}
		pids[p.PID()] = true
		if exit, err := p.Stop(t.Context()); exit.Signal != unix.SIGTERM || err != nil {
			t.Errorf("%v, %v", exit, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(pids) != n {
		t.Errorf("%d children, want %d", len(pids), n)
	}
}

// Children that come and go leave nothing.
func TestCyclesLeakNothing(t *testing.T) {
	leaktest.Check(t)
	cycle := func(n int) {
		for i := range n {
			_, exit := output(t, userprocess.Command{Path: "/bin/sh", Args: []string{"-c", fmt.Sprintf("exit %d", i%256)}, Stdin: userprocess.Pipe, Stderr: userprocess.Pipe})
			if exit.Code != i%256 {
				t.Errorf("%v, want %d", exit, i%256)
			}
		}
	}
	cycle(20)
	before := threads(t)
	cycle(200)
	if n := threads(t); n > before+4 {
		t.Errorf("%d threads, %d before", n, before)
	}
}

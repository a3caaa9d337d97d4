//go:build linux

package load

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// processors returns where a server is to run and where its client: on the first
// and the last processor that this thread may use, or both on all if that is one.
func processors() (server, client unix.CPUSet) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil || all.Count() < 2 {
		return all, all
	}
	first, last := -1, -1
	for i, found := 0, 0; found < all.Count(); i++ {
		if !all.IsSet(i) {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		found++
	}
	server.Set(first)
	client.Set(last)
	return server, client
}

// on calls start on a thread that may use set only, as a process that it starts
// may.
func on(set unix.CPUSet, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return start()
	}
	_ = unix.SchedSetaffinity(0, &set) // or it runs anywhere
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return start()
}

// move has all threads of this process use set only, and returns what undoes it.
// A thread that is made meanwhile is where the one is that made it.
func move(set unix.CPUSet) (undo func()) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return func() {}
	}
	all := func(set *unix.CPUSet) {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, t := range tasks {
			if id, err := strconv.Atoi(t.Name()); err == nil {
				_ = unix.SchedSetaffinity(id, set) // or the thread has ended
			}
		}
	}
	all(&set)
	return func() { all(&before) }
}

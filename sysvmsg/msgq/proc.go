//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// alive reports whether there is a process, whoever it belongs to.
func alive(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// waitedFor returns the queues that a thread waits in, of those threads that this
// process may inspect: /proc/PID/task/TID/syscall begins with the number of the
// system call, and its first argument. See proc_pid_syscall(5).
func waitedFor() map[int]bool {
	queues := make(map[int]bool)
	threads, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/syscall") // the pattern is a good one
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended, or is another user's
		}
		var call, id int
		if n, _ := fmt.Sscanf(string(text), "%d 0x%x", &call, &id); n == 2 && (call == unix.SYS_MSGRCV || call == unix.SYS_MSGSND) {
			queues[id] = true
		}
	}
	return queues
}

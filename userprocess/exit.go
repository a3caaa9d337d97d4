//go:build linux

package userprocess

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An Exit tells how a process ended.
type Exit struct {
	Code   int            // what it exited with, 0 to 255, or -1 if a signal ended it
	Signal syscall.Signal // that ended it, or 0
	Core   bool           // it left a core file
	User   time.Duration  // processor time, of its children that it waited for, too
	System time.Duration
}

// OK reports whether the process exited with code 0.
func (e Exit) OK() bool { return e.Code == 0 }

// String returns, for example, "exit code 3" or "signal: killed".
func (e Exit) String() string {
	switch {
	case e.Signal == 0:
		return fmt.Sprintf("exit code %d", e.Code)
	case e.Core:
		return fmt.Sprintf("signal: %v (core dumped)", e.Signal)
	}
	return fmt.Sprintf("signal: %v", e.Signal)
}

// newExit returns what the kernel says in its terms.
func newExit(ws unix.WaitStatus, ru *unix.Rusage) Exit {
	e := Exit{
		Code: -1,
		User: time.Duration(ru.Utime.Nano()), System: time.Duration(ru.Stime.Nano()),
	}
	if ws.Signaled() {
		e.Signal, e.Core = ws.Signal(), ws.CoreDump()
	} else {
		e.Code = ws.ExitStatus()
	}
	return e
}

//go:build linux

package userprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Reap makes this process the one that inherits what its children leave behind
// when they end, their own children, and reaps those when they end in their turn,
// until ctx ends. Without that they go to init, process 1; and who is process 1, as
// in a container, has to do this in any case.
//
// Foreign tells which processes are to be reaped, by their number, among all
// children of this process that this package has not started; nil stands for all of
// them. It has to know the children of os/exec, or their Wait finds nothing.
//
// Reap runs in the caller's goroutine, and takes notice of SIGCHLD while it does. It
// returns nil when ctx has ended; then orphans go to init again. See
// PR_SET_CHILD_SUBREAPER in prctl(2). It needs /proc, and a kernel with
// CONFIG_PROC_CHILDREN.
func Reap(ctx context.Context, foreign func(pid int) bool) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("userprocess: %w", os.NewSyscallError("prctl", err))
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }() // as it was
	ends := make(chan os.Signal, 1)                                            // one is enough: all children are looked at
	signal.Notify(ends, unix.SIGCHLD)
	defer signal.Stop(ends)
	for {
		if err := reapAll(foreign); err != nil {
			return fmt.Errorf("userprocess: %w", err)
		}
		select {
		case <-ends:
		case <-ctx.Done():
			return nil
		}
	}
}

// reapAll reaps what has ended and is foreign.
func reapAll(foreign func(pid int) bool) error {
	pids, err := childPIDs()
	for _, pid := range pids {
		if children.has(pid) || foreign != nil && !foreign(pid) {
			continue
		}
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // or it lives, or somebody has waited for it
	}
	return err
}

// childPIDs returns the children of all threads of this process.
func childPIDs() (pids []int, err error) {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err == nil && lists == nil {
		err = fmt.Errorf("no /proc/self/task/*/children: %w", errors.ErrUnsupported)
	}
	for _, list := range lists {
		text, readErr := os.ReadFile(list)
		if readErr != nil {
			continue // the thread has ended, and another one has its children
		}
		for field := range strings.FieldsSeq(string(text)) {
			if pid, parseErr := strconv.Atoi(field); parseErr == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids, err
}

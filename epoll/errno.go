//go:build linux

package epoll

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errno returns the number in an error of package unix.
func errno(err error) unix.Errno {
	if err == nil {
		return 0
	}
	var n unix.Errno
	if !errors.As(err, &n) {
		return unix.EINVAL // package unix could not make a call of it
	}
	return n
}

// failed returns the error of a system call, nil for 0.
func failed(call string, n unix.Errno) error {
	if n == 0 {
		return nil
	}
	return os.NewSyscallError(call, n)
}

// again reports whether a system call has only been interrupted by a signal, as
// the runtime sends them to preempt.
func again(n unix.Errno) bool { return n == unix.EINTR }

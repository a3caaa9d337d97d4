//go:build linux

package systemd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// firstFD is the first descriptor that is passed: SD_LISTEN_FDS_START.
const firstFD = 3

// maxFDs is more than anybody passes, and less than a typing error.
const maxFDs = 1 << 16

// Sockets returns the sockets that were passed to this process, in their order, nil
// if none were. The Name of each is the one that FileDescriptorName= in the socket
// unit says, or "unknown". They are the caller's, non-blocking and close-on-exec, and
// stay so if the caller passes them on as they are: net.FileListener makes a
// net.Listener of one.
//
// It looks at LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and removes them, whatever
// they say, so that a second call, and a child, find nothing. If LISTEN_PID is
// another process, the sockets are not ours, and stay as they are. An error names the
// variable or the descriptor that makes no sense; all descriptors are left alone then.
func Sockets() ([]*os.File, error) {
	pid, count, names := take("LISTEN_PID"), take("LISTEN_FDS"), take("LISTEN_FDNAMES")
	if pid == "" || count == "" {
		return nil, nil
	}
	switch owner, err := strconv.Atoi(pid); {
	case err != nil || owner <= 0:
		return nil, fmt.Errorf("systemd: LISTEN_PID is %q, want a process ID", pid)
	case owner != os.Getpid():
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > maxFDs {
		return nil, fmt.Errorf("systemd: LISTEN_FDS is %q, want 0 to %d", count, maxFDs)
	}
	name, err := split(names, n)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if err := check(firstFD + i); err != nil {
			return nil, fmt.Errorf("systemd: descriptor %d of LISTEN_FDS=%d, %q: %w", firstFD+i, n, name[i], err)
		}
	}
	var files []*os.File
	for i := range n {
		unix.CloseOnExec(firstFD + i)
		if err := unix.SetNonblock(firstFD+i, true); err != nil {
			return nil, fmt.Errorf("systemd: descriptor %d, %q: %w", firstFD+i, name[i], err)
		}
		files = append(files, os.NewFile(uintptr(firstFD+i), name[i]))
	}
	return files, nil
}

// take returns the value of an environment variable, and removes it.
func take(name string) string {
	value := os.Getenv(name)
	_ = os.Unsetenv(name) // fails for names that make no sense only
	return value
}

// split returns the names of n descriptors.
func split(names string, n int) ([]string, error) {
	if names == "" {
		all := make([]string, n)
		for i := range all {
			all[i] = "unknown" // as sd_listen_fds_with_names(3) has it
		}
		return all, nil
	}
	all := strings.Split(names, ":")
	if len(all) != n {
		return nil, fmt.Errorf("systemd: LISTEN_FDNAMES has %d names, %q, for LISTEN_FDS=%d", len(all), names, n)
	}
	return all, nil
}

// check reports what is wrong with a descriptor as a socket.
func check(fd int) error {
	_, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case errors.Is(err, unix.EBADF):
		return errors.New("is not open")
	case errors.Is(err, unix.ENOTSOCK):
		return errors.New("is not a socket")
	}
	return err
}

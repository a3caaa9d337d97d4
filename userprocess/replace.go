//go:build linux

package userprocess

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// Exec has this process go on as another program, under the same number. It returns
// only if that fails, and then nothing has changed. See execve(2).
//
// Of command it takes Path, Args, Env, Dir and Files, which get any free numbers;
// other fields must be zero. The standard streams stay as they are. The parent sees
// the end of the Pipe, unless the Pipe is among Files. The program dies with the
// parent, at once, and gets SIGTERM when the parent stops it.
func (c *Child) Exec(command *Command) error {
	return fmt.Errorf("userprocess: cannot execute %s: %w", command, c.exec(command))
}

func (c *Child) exec(command *Command) error {
	if err := command.check(); err != nil {
		return err
	}
	if command.Role != "" || command.Pipe != 0 || command.Credential != nil || command.needsLauncher() ||
		command.Stdin != Inherit || command.Stdout != Inherit || command.Stderr != Inherit {
		return fmt.Errorf("more than Path, Args, Env, Dir and Files: %w", errors.ErrUnsupported)
	}
	back, err := enter(command.Dir)
	if err != nil {
		return err
	}
	defer back()

	// Nothing else may be started while there are descriptors that stay open in it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, names, err := inheritable(command.Files)
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd) // a copy
		}
	}()
	if err != nil {
		return err
	}
	signal.Reset(unix.SIGINT)
	defer signal.Ignore(unix.SIGINT)
	return c.become(command, names)
}

// become executes the program, from a thread that the kernel kills with the parent.
func (c *Child) become(command *Command, names []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGCONT), 0, 0, 0) }() // as it was
	if unix.Getppid() != c.parent {
		return ErrParentGone
	}
	err := syscall.Exec(command.Path, command.argv(), command.environ(names))
	return &os.PathError{Op: "exec", Path: command.Path, Err: err}
}

// inheritable returns copies of files that are not close-on-exec, the standard ones
// in their places, and what fdNames is to say.
func inheritable(files map[string]syscall.Conn) (fds []int, names []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if slices.Contains(stdioNames[:], name) {
			return fds, nil, fmt.Errorf("file %q: %w", name, errors.ErrUnsupported)
		}
		fd, err := uds.Duplicate(files[name])
		if err != nil {
			return fds, nil, fmt.Errorf("file %q: %w", name, err)
		}
		fds = append(fds, fd)
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fds, nil, os.NewSyscallError("fcntl", err)
		}
		names = append(names, named(name, fd))
	}
	return fds, names, nil
}

// enter changes to dir, unless it is empty, and returns what goes back.
func enter(dir string) (back func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	here, err := os.Open(".")
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(dir); err != nil {
		return nil, errors.Join(err, here.Close())
	}
	return func() {
		_ = here.Chdir() // it was the working directory before
		_ = here.Close() // it was only read
	}, nil
}

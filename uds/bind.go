//go:build linux

package uds

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// bound returns a new socket with the given name, and the file that it made if the
// name is a path. The file has its mode and owner; for kinds that listen nobody can
// connect yet.
func bound(kind Kind, name string, o *ListenOptions) (fd int, file *socketFile, err error) {
	if o == nil {
		o = &ListenOptions{}
	}
	if err := kind.check(); err != nil {
		return -1, nil, err
	}
	a, err := parse(name)
	if err != nil {
		return -1, nil, err
	}
	fd, err = unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, nil, os.NewSyscallError("socket", err)
	}
	if isPath(name) {
		file, err = bindFile(fd, name, a, o)
	} else if e := rawBind(fd, a); e != 0 {
		err = os.NewSyscallError("bind", e)
	}
	if err != nil {
		_ = unix.Close(fd) // nothing is bound to it
		return -1, nil, err
	}
	return fd, file, nil
}

// bindFile binds fd to a path.
func bindFile(fd int, path string, a *address, o *ListenOptions) (*socketFile, error) {
	mode := o.Mode.Perm()
	if mode == 0 {
		mode = 0o600
	}
	if o.Dir != 0 {
		if err := makeDir(filepath.Dir(path), o.Dir.Perm(), o.Owner); err != nil {
			return nil, err
		}
	}
	// The file that bind makes has the socket's own permissions, less the umask. A
	// datagram socket can be sent to from then on.
	if err := unix.Fchmod(fd, uint32(mode&0o600)); err != nil {
		return nil, os.NewSyscallError("fchmod", err)
	}
	e := rawBind(fd, a)
	if e == unix.EADDRINUSE {
		if err := replace(path, func() unix.Errno { return rawBind(fd, a) }); err != nil {
			return nil, err
		}
	} else if e != 0 {
		return nil, os.NewSyscallError("bind", e)
	}
	return newSocketFile(path, mode, o.Owner)
}

// makeDir makes a directory unless there is one.
func makeDir(path string, mode fs.FileMode, owner *Owner) error {
	err := os.Mkdir(path, mode&0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = giveDir(path, mode, owner); err != nil {
		_ = unix.Rmdir(path) // and nothing else
	}
	return err
}

// giveDir gives a new directory its owner and mode. Who may write to the one above may
// have put something in its place: links, files, and what belongs to other users are
// left alone.
func giveDir(path string, mode fs.FileMode, owner *Owner) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	err = own(f, fs.ModeDir)
	if err == nil {
		err = give(fd, mode, owner)
	}
	return errors.Join(err, f.Close())
}

// replace removes the socket file at path if no process has the socket, and calls
// bind. One process at a time does so: otherwise the second could remove what the
// first has just bound.
func replace(path string, bind func() unix.Errno) error {
	// Who cannot make the lock's file is told all the same that a server is there.
	if _, err := stale(path); err != nil {
		return err
	}
	unlock, err := lock(path + ".uds-lock")
	if err != nil {
		return err
	}
	defer unlock()
	left, err := stale(path)
	if err != nil {
		return err
	}
	if left {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if e := bind(); e != 0 {
		return os.NewSyscallError("bind", e)
	}
	return nil
}

// stale reports whether there is a socket file at path that no process has. What is
// in use is an error.
func stale(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode().Type() != fs.ModeSocket:
		return false, fmt.Errorf("the file exists and is no socket: %w", unix.EADDRINUSE)
	}
	err = probe(path)
	if errors.Is(err, fs.ErrNotExist) { // its owner has just removed it
		return false, nil
	}
	return err == nil, err
}

// probe returns nil if nobody has the socket at path, and an error if somebody does.
// It asks with a datagram socket: one of another kind refuses that before it notices
// anything, and even before it listens, and one of that kind notices nothing.
func probe(path string) error {
	a, err := parse(path)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	e := rawConnect(fd, a)
	_ = unix.Close(fd) // it has answered
	switch e {
	case unix.ECONNREFUSED:
		return nil
	case 0, unix.EPROTOTYPE, unix.EPERM:
		return fmt.Errorf("another process has it: %w", unix.EADDRINUSE)
	}
	return fmt.Errorf("the file exists, and whether a process has it is not to be known: %w", os.NewSyscallError("connect", e))
}

// lock locks the file at path, which it makes, for this process. Whoever holds it
// is about to bind, so that waiting would come too late.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { // f is open
			err = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
		})
	}
	if err == nil && !current(f, path) {
		err = unix.EWOULDBLOCK // its last holder has removed it
	}
	if err != nil {
		_ = f.Close() // nothing is written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("another process starts there: %w", unix.EADDRINUSE)
		}
		return nil, os.NewSyscallError("flock", err)
	}
	return func() {
		_ = os.Remove(path) // while it is locked, so that it is this one
		_ = f.Close()
	}, nil
}

// current reports whether f is the file at path.
func current(f *os.File, path string) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(own, now)
}

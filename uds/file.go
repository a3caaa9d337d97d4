//go:build linux

package uds

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// socketFile is the file of a socket that this process bound. Its descriptor keeps
// the file's number from being given to another.
type socketFile struct {
	path string // absolute: the working directory may change
	f    *os.File
}

// newSocketFile returns the socket file at path, which was just bound, and sets its
// owner and mode. If there is an error, the file is removed, if it is the socket's.
func newSocketFile(path string, mode fs.FileMode, owner *Owner) (*socketFile, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		_ = os.Remove(path) // ours: nobody replaces the file of a socket that is open
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	s := &socketFile{f: os.NewFile(uintptr(fd), path)}
	// Who may write to the directory may have put another file in its place. What is
	// no socket, or another user's, is not given away.
	if err := own(s.f, fs.ModeSocket); err != nil {
		return nil, errors.Join(err, s.forget())
	}
	if s.path, err = filepath.Abs(path); err != nil {
		_ = os.Remove(path) // as above
		return nil, errors.Join(err, s.forget())
	}
	if err := give(fd, mode, owner); err != nil {
		_ = s.remove() // the error is told
		return nil, err
	}
	return s, nil
}

// give sets the owner and the mode of what fd was opened for with O_PATH, and of
// nothing that took its path.
func give(fd int, mode fs.FileMode, owner *Owner) error {
	if owner != nil {
		if err := unix.Fchownat(fd, "", owner.UID, owner.GID, unix.AT_EMPTY_PATH); err != nil {
			return os.NewSyscallError("chown", err)
		}
	}
	// Linux ≥ 6.6.
	if unix.Fchmodat(fd, "", uint32(mode), unix.AT_EMPTY_PATH) == nil {
		return nil
	}
	return os.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode)
}

// remove removes the file, unless another one has taken its path. There may be none:
// a nil socketFile.
func (s *socketFile) remove() error {
	if s == nil {
		return nil
	}
	if !current(s.f, s.path) {
		return s.forget()
	}
	return errors.Join(os.Remove(s.path), s.forget())
}

// forget leaves the file where it is.
func (s *socketFile) forget() error {
	if s == nil {
		return nil
	}
	return s.f.Close()
}

// own returns an error if f is not of that type, or not this user's.
func own(f *os.File, kind fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if info.Mode().Type() != kind || !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("another file has taken the path: %w", unix.EADDRINUSE)
	}
	return nil
}

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
// owner and mode. If there is an error, the file is removed.
func newSocketFile(path string, mode fs.FileMode, owner *Owner) (*socketFile, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		_ = os.Remove(path) // ours: nobody replaces the file of a socket that is open
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	s := &socketFile{f: os.NewFile(uintptr(fd), path)}
	// Who may write to the directory may have put another file in its place, which is
	// not to be given away.
	if err := own(s.f); err != nil {
		return nil, errors.Join(err, s.forget())
	}
	if s.path, err = filepath.Abs(path); err != nil {
		_ = os.Remove(path) // as above
		return nil, errors.Join(err, s.forget())
	}
	if owner != nil {
		err = os.NewSyscallError("chown", unix.Fchownat(fd, "", owner.UID, owner.GID, unix.AT_EMPTY_PATH))
	}
	if err == nil {
		err = chmod(fd, mode)
	}
	if err != nil {
		_ = s.remove() // the error is told
		return nil, err
	}
	return s, nil
}

// chmod sets the mode of what fd was opened for with O_PATH, and of nothing that
// took its path.
func chmod(fd int, mode fs.FileMode) error {
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

// own returns an error if f is not a socket of this user.
func own(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if info.Mode().Type() != fs.ModeSocket || !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("another file has taken the path: %w", unix.EADDRINUSE)
	}
	return nil
}

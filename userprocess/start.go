//go:build linux

package userprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// self is this program, also when its file has been replaced or removed.
const self = "/proc/self/exe"

// stdioNames are the names of the standard streams.
var stdioNames = [...]string{"stdin", "stdout", "stderr"} //nolint:gochecknoglobals // a constant

// Start starts a child. It returns when the program has been executed, or when ctx
// has ended while a launcher prepares that; ctx has no meaning for what comes after.
//
// The errors are those of fork(2) and execve(2), ErrNoMain, ErrUnknownRole, that of
// a limit that could not be set, or say which field makes no sense. Nothing is left
// behind then.
func (c *Command) Start(ctx context.Context) (*Process, error) {
	p, err := c.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("userprocess: cannot start %s: %w", c, err)
	}
	return p, nil
}

func (c *Command) start(ctx context.Context) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s := &starting{Command: c, process: &Process{name: c.String(), grace: c.grace(), done: make(chan struct{})}}
	err := s.prepare()
	if err == nil {
		children.enter()
		if err = s.fork(); err != nil {
			children.leave()
		}
	}
	s.closeTheirs()
	if err != nil {
		return nil, errors.Join(err, s.closeOurs())
	}
	go s.process.watch(s.pidfd) // ends with the child
	if err := s.launched(ctx); err != nil {
		s.process.end()
		return nil, errors.Join(err, s.process.Close())
	}
	return s.process, nil
}

// A starting is a child on its way, with what is closed once it has its copies.
type starting struct {
	*Command
	process *Process
	theirs  []int    // descriptors of ours that the child gets copies of
	stdio   [3]int   // its standard streams
	named   []int    // its other descriptors
	names   []string // of those
	report  *os.File // where a launcher says what went wrong
	pidfd   *os.File
}

// prepare opens what the child is to have, and our ends of it.
func (s *starting) prepare() error {
	if s.Role != "" {
		if err := s.pair(lifelineName, uds.SeqPacket, &s.process.lifeline); err != nil {
			return err
		}
	}
	if s.Pipe != 0 {
		if err := s.pair(pipeName, s.Pipe, &s.process.pipe); err != nil {
			return err
		}
	}
	for i := range s.stdio {
		if err := s.redirect(i); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		fd, err := uds.Duplicate(s.Files[name])
		if err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
		s.theirs = append(s.theirs, fd)
		if i := slices.Index(stdioNames[:], name); i >= 0 {
			s.stdio[i] = fd
		} else {
			s.add(name, fd)
		}
	}
	return nil
}

// add gives the child fd under that name.
func (s *starting) add(name string, fd int) {
	s.names, s.named = append(s.names, name), append(s.named, fd)
}

// pair connects parent and child.
func (s *starting) pair(name string, kind uds.Kind, ours **uds.Conn) error {
	a, b, err := uds.SocketPair(kind)
	if err != nil {
		return err
	}
	fd := b.Release()
	s.theirs = append(s.theirs, fd)
	if *ours, err = a.Attach(); err != nil {
		return errors.Join(err, a.Close())
	}
	s.add(name, fd)
	if s.Role != "" {
		return nil
	}
	return os.NewSyscallError("fcntl", unix.SetNonblock(fd, false)) // another end has another open file
}

// redirect opens the standard stream i.
func (s *starting) redirect(i int) error {
	s.stdio[i] = i
	switch [...]Stdio{s.Stdin, s.Stdout, s.Stderr}[i] {
	case Null:
		fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		s.stdio[i], s.theirs = fd, append(s.theirs, fd)
	case Pipe:
		fds, err := pipe()
		if err != nil {
			return err
		}
		ours, theirs := fds[0], fds[1]
		if i == 0 {
			ours, theirs = fds[1], fds[0]
		}
		s.stdio[i], s.theirs = theirs, append(s.theirs, theirs)
		f, err := pollable(ours, stdioNames[i])
		if err != nil {
			return err
		}
		if i == 0 {
			s.process.stdin = f
		} else {
			s.process.output[i-1] = &Output{f: f}
		}
	}
	return nil
}

// fork starts the program, or its launcher.
func (s *starting) fork() error {
	argv, path, env, err := s.program()
	if err != nil {
		return err
	}
	files := []uintptr{uintptr(s.stdio[0]), uintptr(s.stdio[1]), uintptr(s.stdio[2])}
	for _, fd := range s.named {
		files = append(files, uintptr(fd))
	}
	pidfd := -1 // stays that before Linux 5.4
	attr := &syscall.ProcAttr{
		Dir: s.Dir, Env: env, Files: files,
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd},
	}
	if s.report == nil {
		attr.Sys.Credential = s.Credential
	}
	if s.process.pid, err = children.start(path, argv, attr); err != nil {
		return &os.PathError{Op: "fork/exec", Path: path, Err: err}
	}
	if pidfd < 0 {
		err = fmt.Errorf("no pidfd: %w", errors.ErrUnsupported)
	} else {
		s.pidfd, err = pollable(pidfd, "pidfd")
	}
	if err != nil {
		_ = s.process.Kill()
		s.process.reap(0)
	}
	return err
}

// program returns what is to be executed, and with it the manifest.
func (s *starting) program() (argv []string, path string, env []string, err error) {
	argv, path, env = s.argv(), self, s.environ(nil)
	m := &manifest{Role: s.Role, Args: s.Args}
	if s.Role == "" {
		path, env = s.Path, s.environ(numbered(s.names))
	}
	if s.needsLauncher() {
		m.Launch = &launch{
			Path: path, Argv: argv, Credential: s.Credential,
			Rlimits: s.Rlimits, Affinity: s.Affinity, Priority: s.Priority,
		}
		argv, path = []string{argv[0]}, self
		if err := s.addReport(); err != nil {
			return nil, "", nil, err
		}
	}
	if m.FDs = s.names; s.Role == "" && m.Launch == nil {
		return argv, path, env, nil
	}
	text, err := m.encode()
	return argv, path, append(env, text), err
}

// addReport makes the pipe through which a launcher says what went wrong: its last
// descriptor, which is close-on-exec there.
func (s *starting) addReport() error {
	fds, err := pipe()
	if err != nil {
		return err
	}
	s.theirs = append(s.theirs, fds[1])
	s.add("report", fds[1])
	s.report, err = pollable(fds[0], "report")
	return err
}

// launched waits until the launcher, if there is one, has executed the program.
func (s *starting) launched(ctx context.Context) error {
	if s.report == nil {
		return nil
	}
	defer func() { _ = s.report.Close() }() // it is only read
	stop := context.AfterFunc(ctx, s.process.end)
	text, err := io.ReadAll(io.LimitReader(s.report, 1<<12))
	switch {
	case !stop():
		return context.Cause(ctx)
	case err == nil && len(text) > 0:
		return decodeFailure(string(text))
	}
	return err
}

func (s *starting) closeTheirs() {
	for _, fd := range s.theirs {
		_ = unix.Close(fd) // the child has a copy, or there is none
	}
}

// closeOurs closes our ends of what no child has.
func (s *starting) closeOurs() error {
	if s.report != nil {
		_ = s.report.Close() // it is only read
	}
	if s.process.lifeline != nil {
		_ = s.process.lifeline.Close() // nobody has the other end
	}
	return s.process.Close()
}

// pipe returns a pipe for a program that expects it to block.
func pipe() (fds [2]int, err error) {
	err = os.NewSyscallError("pipe2", unix.Pipe2(fds[:], unix.O_CLOEXEC))
	return fds, err
}

// pollable returns a file for the runtime's poller, which owns fd. It never was
// blocking for package os, so that its Fd method changes nothing.
func pollable(fd int, name string) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd) // nobody has it yet
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

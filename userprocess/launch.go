//go:build linux

package userprocess

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A launch is what a process does before it becomes the program that was asked for.
type launch struct {
	Path       string              `json:"path"`
	Argv       []string            `json:"argv"`
	Rlimits    []Rlimit            `json:"rlimits,omitempty"`
	Affinity   []int               `json:"affinity,omitempty"`
	Priority   int                 `json:"priority,omitempty"`
	Credential *syscall.Credential `json:"credential,omitempty"`
}

// launch executes the program. It returns only if that fails, which the parent is
// told through the last descriptor.
func (m *manifest) launch() error {
	report := firstFD + len(m.FDs) - 1
	env := os.Environ()
	next := &manifest{Role: m.Role, Args: m.Args, FDs: m.FDs[:len(m.FDs)-1]}
	if m.Role != "" {
		text, err := next.encode()
		if err != nil {
			return err
		}
		env = append(env, text)
	}
	for fd := firstFD; fd < report; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	_, _ = unix.Write(report, encodeFailure(m.Launch.exec(env))) // or the parent is gone
	return Status(1)
}

// A launchError is what a launcher says, which is another process.
type launchError struct {
	text  string
	errno syscall.Errno // or 0
}

func (e *launchError) Error() string { return e.text }

// Unwrap returns the number, for errors.Is.
func (e *launchError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

// encodeFailure returns what the parent is to know of an error.
func encodeFailure(err error) []byte {
	var errno syscall.Errno
	_ = errors.As(err, &errno) // or it is 0
	return fmt.Appendf(nil, "%d %v", int(errno), err)
}

// decodeFailure is the opposite of encodeFailure.
func decodeFailure(text string) error {
	number, text, _ := strings.Cut(text, " ")
	errno, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("launcher: %q", number+" "+text)
	}
	return &launchError{text, syscall.Errno(errno)}
}

// exec sets what is to be set, and executes the program. Affinity, priority and the
// signal at the parent's death belong to the thread, and execve(2) keeps those of
// the thread that calls it.
func (l *launch) exec(env []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, r := range l.Rlimits {
		if err := unix.Prlimit(0, r.Resource, &unix.Rlimit{Cur: r.Soft, Max: r.Hard}, nil); err != nil {
			return fmt.Errorf("rlimit %d, soft %d, hard %d: %w", r.Resource, r.Soft, r.Hard, os.NewSyscallError("prlimit", err))
		}
	}
	if l.Affinity != nil {
		if err := setAffinity(l.Affinity); err != nil {
			return fmt.Errorf("affinity %v: %w", l.Affinity, err)
		}
	}
	if l.Priority != 0 {
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, l.Priority); err != nil {
			return fmt.Errorf("priority %d: %w", l.Priority, os.NewSyscallError("setpriority", err))
		}
	}
	if l.Credential != nil {
		if err := setCredential(l.Credential); err != nil {
			return fmt.Errorf("credential: %w", err)
		}
	}
	return &os.PathError{Op: "exec", Path: l.Path, Err: syscall.Exec(l.Path, l.Argv, env)}
}

func setAffinity(cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
		if !set.IsSet(cpu) {
			return fmt.Errorf("no processor %d: %w", cpu, unix.EINVAL)
		}
	}
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &set))
}

// setCredential makes the process another user's. The kernel forgets the signal at
// the parent's death then, which is set again.
func setCredential(c *syscall.Credential) error {
	groups := make([]int, len(c.Groups))
	for i, g := range c.Groups {
		groups[i] = int(g)
	}
	parent := unix.Getppid()
	if !c.NoSetGroups {
		if err := syscall.Setgroups(groups); err != nil {
			return os.NewSyscallError("setgroups", err)
		}
	}
	if err := syscall.Setgid(int(c.Gid)); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setuid(int(c.Uid)); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	if unix.Getppid() != parent {
		return ErrParentGone
	}
	return nil
}

//go:build linux

package userprocess

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plait-go/plait/uds"
)

// DefaultGrace is the Grace of a Command that has none.
const DefaultGrace = 10 * time.Second

// A Command describes a child. It can be started any number of times, and does not
// change.
type Command struct {
	// Role is what the child does, one of those that Main was told. Empty for another
	// program.
	Role string

	// Path is the file of another program, absolute or relative to Dir; it is not
	// looked for in $PATH. Empty for a role.
	Path string

	// Args are the arguments. Those of a program begin behind its name.
	Args []string

	// Env is the environment, as "key=value"; nil is that of this process.
	Env []string

	// Dir is the working directory; empty is that of this process.
	Dir string

	// Pipe is the kind of a connection between parent and child: uds.Stream or
	// uds.SeqPacket; zero is none. A role gets its end from [Child.Pipe]. Another
	// program finds it under the number 3, as a blocking socket.
	Pipe uds.Kind

	// Stdin, Stdout and Stderr are what the child has under the numbers 0, 1 and 2;
	// zero is what this process has.
	Stdin, Stdout, Stderr Stdio

	// Files are descriptors that the child gets copies of. A role finds them by name.
	// Another program has them from number 3 on, behind the Pipe, in the order of
	// their names: PLAIT_FDS tells, as "pipe=3:config=4". A file with the name stdin,
	// stdout or stderr takes the place of that.
	//
	// The open files are shared, with their offset and O_NONBLOCK. None is changed.
	Files map[string]syscall.Conn

	// Credential is whom the child runs as; nil is as this process. The groups, the
	// group and the user are set in this order. See credentials(7).
	Credential *syscall.Credential

	// Rlimits, Affinity and Priority are set before the program begins, by this
	// program in its place: they need a call of Main. See setrlimit(2),
	// sched_setaffinity(2) with numbers of processors, and the nice value of
	// setpriority(2). A Go program does not start with RLIMIT_AS below some 1 GiB;
	// RLIMIT_DATA bounds its memory.
	Rlimits  []Rlimit
	Affinity []int // nil: unchanged
	Priority int   // 0: unchanged

	// Grace is how long Stop waits before it kills; zero is DefaultGrace, and less
	// than that no time at all.
	Grace time.Duration
}

// An Rlimit is a limit on a resource, for example unix.RLIMIT_NOFILE.
type Rlimit struct {
	Resource int
	Soft     uint64
	Hard     uint64
}

// Stdio is where a standard stream of a child leads.
type Stdio int

// The ways. Pipe is the other end of a pipe, which [Process.Stdin] and its kin
// return.
const (
	Inherit Stdio = iota // what this process has
	Null                 // /dev/null
	Pipe
)

// ErrNoMain is returned by Start where Main has not been called: the child would
// run main again.
var ErrNoMain = errors.New("userprocess: Main was not called, which has to be the first thing in main, and in TestMain")

// ErrUnknownRole is returned for a role that Main was not told.
var ErrUnknownRole = errors.New("userprocess: no such role")

// reserved are names that Files cannot have.
const (
	lifelineName = "lifeline"
	pipeName     = "pipe"
)

// String returns the role, or the name of the program.
func (c *Command) String() string {
	if c.Role != "" {
		return c.Role
	}
	return filepath.Base(c.Path)
}

// check reports what makes no sense.
func (c *Command) check() error {
	switch {
	case c.Role == "" && c.Path == "":
		return errors.New("neither Role nor Path")
	case c.Role != "" && c.Path != "":
		return fmt.Errorf("both Role %q and Path %q", c.Role, c.Path)
	case c.Pipe != 0 && c.Pipe != uds.Stream && c.Pipe != uds.SeqPacket:
		return fmt.Errorf("Pipe is %v, want stream or seqpacket: %w", c.Pipe, errors.ErrUnsupported)
	}
	for name, file := range c.Files {
		switch {
		case name == lifelineName, name == pipeName, name == "", strings.ContainsAny(name, "=:\x00"):
			return fmt.Errorf("%q is no name for a file", name)
		case file == nil:
			return fmt.Errorf("file %q is nil", name)
		}
	}
	for i, s := range [...]Stdio{c.Stdin, c.Stdout, c.Stderr} {
		if s < Inherit || s > Pipe {
			return fmt.Errorf("%s is Stdio %d", stdioNames[i], s)
		}
	}
	for _, cpu := range c.Affinity {
		if cpu < 0 {
			return fmt.Errorf("processor %d in Affinity", cpu)
		}
	}
	return c.checkRole()
}

// checkRole reports that the child would not find its role, or its launcher.
func (c *Command) checkRole() error {
	if c.Role == "" && !c.needsLauncher() {
		return nil
	}
	roles, called := known()
	if !called {
		return ErrNoMain
	}
	if _, ok := roles[c.Role]; !ok && c.Role != "" {
		return fmt.Errorf("%q: %w", c.Role, ErrUnknownRole)
	}
	return nil
}

func (c *Command) needsLauncher() bool {
	return len(c.Rlimits) > 0 || c.Affinity != nil || c.Priority != 0
}

// grace returns how long to wait before a kill.
func (c *Command) grace() time.Duration {
	if c.Grace == 0 {
		return DefaultGrace
	}
	return max(c.Grace, 0)
}

// argv returns what the program finds as its arguments. That of a role is for ps(1).
func (c *Command) argv() []string {
	if c.Role != "" {
		return []string{filepath.Base(os.Args[0]) + ": " + c.Role}
	}
	return append([]string{c.Path}, c.Args...)
}

// environ returns the environment of a program that has such descriptors, without
// what is for this process alone.
func (c *Command) environ(fds []string) []string {
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	env = slices.DeleteFunc(slices.Clone(env), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return name == marker || name == fdNames
	})
	if len(fds) > 0 {
		env = append(env, fdNames+"="+strings.Join(fds, ":"))
	}
	return env
}

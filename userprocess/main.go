//go:build linux

package userprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// A Role is what a child does. Its context ends when the child is to stop; the
// cause is ErrStopped, ErrTerminated or ErrParentGone.
//
// When the Role returns, the process exits, without waiting for other goroutines:
// with code 0 for nil and for the context's own error, with the code of a Status,
// and with 1 for any other error, which is printed on standard error.
type Role func(ctx context.Context, c *Child) error

// Roles are what a program can be started as, by name.
type Roles map[string]Role

// A Status is an error of a Role that is nothing but the code to exit with, 0 to
// 255.
type Status int //nolint:errname // it is said as one: return userprocess.Status(3)

// Error returns, for example, "exit code 3".
func (s Status) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

// table is what Main was told.
var table struct { //nolint:gochecknoglobals // Main is about the process, as main is
	sync.Mutex
	roles Roles
}

// Main is the first thing in main, and in TestMain. In a child it runs the child's
// role, and exits. Elsewhere it notes the roles, which must not change afterwards,
// and returns. It panics when it is called again.
//
// In a child it takes SIGTERM for a request to stop, and ignores SIGINT. A child
// that cannot begin says so on standard error, and exits with code 1.
func Main(roles Roles) {
	table.Lock()
	if table.roles != nil {
		table.Unlock()
		panic("userprocess: Main is called a second time")
	}
	table.roles = roles
	if roles == nil {
		table.roles = Roles{}
	}
	table.Unlock()
	text, isChild := os.LookupEnv(marker)
	if !isChild {
		return
	}
	err := os.Unsetenv(marker)
	if err == nil {
		err = runChild(text, roles)
	}
	os.Exit(code(err)) //nolint:forbidigo // Main is the program's
}

// known returns what Main was told, and whether it was called.
func known() (roles Roles, called bool) {
	table.Lock()
	defer table.Unlock()
	return table.roles, table.roles != nil
}

// code returns what to exit with, and prints err if that says more.
func code(err error) int {
	var status Status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status) && status >= 0 && status <= 255:
		return int(status)
	}
	_, _ = fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err) // nobody else to tell
	return 1
}

// runChild does what the manifest says.
func runChild(text string, roles Roles) error {
	m, err := decode(text)
	if err != nil {
		return err
	}
	for i, name := range m.FDs {
		if _, err := unix.FcntlInt(uintptr(firstFD+i), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return fmt.Errorf("$%s names %q, but there is no descriptor %d: %w", marker, name, firstFD+i, err)
		}
	}
	if m.Launch != nil {
		return m.launch()
	}
	role, ok := roles[m.Role]
	if !ok {
		return fmt.Errorf("%q: %w", m.Role, ErrUnknownRole)
	}
	return newChild(m).run(role)
}

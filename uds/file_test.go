//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// socket is a Listener, or a Conn of ListenDatagram.
type socket interface{ Close() error }

// listenAny makes a socket of any kind with a name.
func listenAny(kind uds.Kind, name string, o *uds.ListenOptions) (socket, error) {
	if kind == uds.Datagram {
		c, err := uds.ListenDatagram(name, o)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	l, err := uds.Listen(kind, name, o)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// becomeNobody gives up what root may do.
func becomeNobody() error {
	if os.Getuid() != 0 {
		return nil
	}
	return errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody))
}

// nobody is the user and the group without rights.
const nobody = 65534

// root skips the test unless it runs as root.
func root(tb testing.TB) {
	tb.Helper()
	if os.Getuid() != 0 {
		tb.Skip("only root can become another user")
	}
}

// openPlace is place that everybody may use.
func openPlace(tb testing.TB) string {
	tb.Helper()
	dir := place(tb)
	must(tb, os.Chmod(dir, 0o777))
	return dir
}

// modeOf returns the mode of a file, or ModeIrregular if there is none.
func modeOf(path string) fs.FileMode {
	info, err := os.Lstat(path)
	if err != nil {
		return fs.ModeIrregular
	}
	return info.Mode()
}

// entries returns what is in a directory.
func entries(tb testing.TB, dir string) []string {
	tb.Helper()
	var all []string
	found, err := os.ReadDir(dir)
	must(tb, err)
	for _, entry := range found {
		all = append(all, entry.Name())
	}
	return all
}

// The mode is what was asked for, whatever the umask, which belongs to the whole
// process: a child tries them.
func TestMode(t *testing.T) {
	leaktest.Check(t)
	c := startChild(t, "modes", []string{openPlace(t)})
	c.expect(t, "405 modes are right")
}

// modes is a child that listens with all modes under all umasks, as an ordinary
// user: root is no test of what permissions forbid.
func modes(args []string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	right := 0
	for _, umask := range []int{0, 0o022, 0o077, 0o400, 0o777} {
		syscall.Umask(umask)
		for _, mode := range []fs.FileMode{0, 0o600, 0o660, 0o666, 0o777, 0o400, 0o060, 0o004, fs.ModeSetuid | 0o640} {
			for _, kind := range kinds() {
				for _, dirMode := range []fs.FileMode{0o700, 0o755, 0o333} {
					if err := checkMode(kind, args[0]+"/dir", mode, dirMode); err != nil {
						return fmt.Errorf("umask %o: %s: mode %v: %w", umask, kind, mode, err)
					}
					right++
				}
			}
		}
	}
	return say(right, "modes are right")
}

// checkMode listens in a new directory.
func checkMode(kind uds.Kind, dir string, mode, dirMode fs.FileMode) error {
	path := dir + "/socket"
	s, err := listenAny(kind, path, &uds.ListenOptions{Mode: mode, Dir: dirMode})
	if err != nil {
		return err
	}
	want := mode.Perm()
	if mode == 0 {
		want = 0o600
	}
	if got := modeOf(path); got != want|fs.ModeSocket {
		return fmt.Errorf("file: %v, want %v", got, want|fs.ModeSocket)
	}
	if got := modeOf(dir); got != dirMode|fs.ModeDir {
		return fmt.Errorf("directory: %v, want %v", got, dirMode|fs.ModeDir)
	}
	if err := s.Close(); err != nil {
		return err
	}
	return os.Remove(dir) // there is nothing left in it
}

// A directory that exists stays as it is, and only the last one is made.
func TestDir(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	must(t, os.Chmod(dir, 0o750))
	l, err := uds.Listen(uds.Stream, dir+"/socket", &uds.ListenOptions{Dir: 0o777})
	must(t, err)
	if got := modeOf(dir); got != fs.ModeDir|0o750 {
		t.Errorf("mode of the directory = %v, want 0750 as before", got)
	}
	must(t, l.Close())
	_, err = uds.Listen(uds.Stream, dir+"/a/b/socket", &uds.ListenOptions{Dir: 0o777})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Listen two directories deep = %v, want ENOENT", err)
	}
	must(t, os.WriteFile(dir+"/file", nil, 0o600))
	_, err = uds.Listen(uds.Stream, dir+"/file/socket", &uds.ListenOptions{Dir: 0o777})
	if !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("Listen in a file = %v, want ENOTDIR", err)
	}
}

// owner returns whose a file is.
func owner(tb testing.TB, path string) uds.Owner {
	tb.Helper()
	info, err := os.Lstat(path)
	must(tb, err)
	st := info.Sys().(*syscall.Stat_t)
	return uds.Owner{UID: int(st.Uid), GID: int(st.Gid)}
}

func TestOwner(t *testing.T) {
	leaktest.Check(t)
	own := uds.Owner{UID: os.Getuid(), GID: os.Getgid()}
	tests := map[uds.Owner]uds.Owner{{UID: -1, GID: -1}: own, {UID: -1, GID: own.GID}: own, own: own}
	if own.UID == 0 {
		tests[uds.Owner{UID: nobody, GID: nobody}] = uds.Owner{UID: nobody, GID: nobody}
		tests[uds.Owner{UID: -1, GID: nobody}] = uds.Owner{GID: nobody}
		tests[uds.Owner{UID: nobody, GID: -1}] = uds.Owner{UID: nobody}
	}
	for ask, want := range tests {
		for _, kind := range kinds() {
			dir := filepath.Join(place(t), "dir")
			s, err := listenAny(kind, dir+"/socket", &uds.ListenOptions{Mode: 0o660, Owner: &ask, Dir: 0o750})
			if err != nil {
				t.Errorf("%s: listen for %+v: %v", kind, ask, err)
				continue
			}
			if file, d := owner(t, dir+"/socket"), owner(t, dir); file != want || d != want {
				t.Errorf("%s: listen for %+v: file of %+v in directory of %+v; want %+v", kind, ask, file, d, want)
			}
			if got := modeOf(dir + "/socket"); got != fs.ModeSocket|0o660 {
				t.Errorf("%s: listen for %+v: mode %v, want 0660", kind, ask, got)
			}
			must(t, s.Close())
		}
	}
}

// Who may not give a file away is told, and nothing is left.
func TestOwnerNotPermitted(t *testing.T) {
	leaktest.Check(t)
	dir := openPlace(t)
	c := startChild(t, "give away", []string{dir})
	c.expect(t, "not permitted")
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

// giveAway is a child without rights that gives its socket file to root.
func giveAway(args []string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	for _, kind := range kinds() {
		s, err := listenAny(kind, args[0]+"/socket", &uds.ListenOptions{Owner: &uds.Owner{UID: 0, GID: 0}})
		if !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s: listen for root: %v, %w; want EPERM", kind, s, err)
		}
	}
	return say("not permitted")
}

// Without a descriptor for the file there is no socket, and no file.
func TestFileWithoutDescriptor(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	c := startChild(t, "few descriptors", []string{dir})
	c.expect(t, "3 files removed")
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

// fewDescriptors is a child that can make a socket, but not open its file.
func fewDescriptors(args []string) error {
	// Standard input is the only descriptor that can be had.
	if err := unix.Close(0); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: 1}); err != nil {
		return err
	}
	n := 0
	for _, kind := range kinds() {
		_, err := listenAny(kind, args[0]+"/"+kind.String(), nil)
		if !errors.Is(err, unix.EMFILE) || !strings.Contains(err.Error(), "open") {
			return fmt.Errorf("%s: %w, want EMFILE of open", kind, err)
		}
		n++
	}
	return say(n, "files removed")
}

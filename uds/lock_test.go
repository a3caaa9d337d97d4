//go:build linux

package uds_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// lockName is the file by which those that replace a stale socket agree.
func lockName(path string) string { return path + ".uds-lock" }

// lockFile is a child that locks a file and holds it.
func lockFile(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	if err := say("locked"); err != nil {
		return err
	}
	_, _ = hear() // the end
	return f.Close()
}

// While another process is about to replace a stale file, the name is in use. If it
// was killed over that, the file of the lock is left, which does no harm.
func TestLock(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	path := dir + "/socket"
	leave(t, uds.Stream, path)
	c := startChild(t, "lock", []string{lockName(path)})
	c.expect(t, "locked")
	for _, kind := range kinds() {
		_, err := listenAny(kind, path, nil)
		if !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), "another process starts there") {
			t.Errorf("listen as a %s under a lock: %v, want EADDRINUSE with the reason", kind, err)
		}
	}
	if left := entries(t, dir); len(left) != 2 {
		t.Errorf("files: %q, want both as before", left)
	}

	c.kill(t)
	l, err := uds.Listen(uds.Stream, path, nil)
	if err != nil {
		t.Fatalf("Listen with the lock of a dead process: %v", err)
	}
	if left := entries(t, dir); len(left) != 1 {
		t.Errorf("files: %q, want the socket alone", left)
	}
	serves(t, l, uds.Stream, path)
	must(t, l.Close())
}

// A lock that cannot be had is an error that names its file.
func TestLockInTheWay(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"a symbolic link": func(path string) error { return os.Symlink("socket", path) },
	} {
		t.Run(what, func(t *testing.T) {
			leaktest.Check(t)
			path := place(t) + "/socket"
			leave(t, uds.Stream, path)
			must(t, put(lockName(path)))
			_, err := uds.Listen(uds.Stream, path, nil)
			if err == nil || !strings.Contains(err.Error(), lockName(path)) {
				t.Errorf("Listen = %v, want an error that names %s", err, lockName(path))
			}
			if modeOf(path)&fs.ModeSocket == 0 || modeOf(lockName(path)) == fs.ModeIrregular {
				t.Error("a file is gone")
			}
		})
	}
}

// Who may not make the lock's file cannot replace a stale socket, which is an error
// that says so. That a server is alive is told all the same.
func TestLockNotPermitted(t *testing.T) {
	root(t)
	leaktest.Check(t)
	dir := place(t)
	must(t, os.Chmod(dir, 0o755))
	leave(t, uds.Stream, dir+"/stale")
	must(t, os.Chmod(dir+"/stale", 0o666))
	leave(t, uds.Stream, dir+"/closed")
	must(t, os.Chmod(dir+"/closed", 0o600))
	l, err := uds.Listen(uds.Stream, dir+"/live", &uds.ListenOptions{Mode: 0o666})
	must(t, err)
	for name, want := range map[string]string{
		"stale":  "open " + lockName(dir+"/stale") + ": permission denied",
		"closed": "whether a process has it is not to be known: connect: permission denied",
		"live":   "another process has it: address already in use",
		"new":    "bind: permission denied",
	} {
		c := startChild(t, "listen as nobody", []string{dir + "/" + name})
		if got := c.line(t); !strings.HasSuffix(got, want) {
			t.Errorf("Listen at the %s path says %q, want %q", name, got, want)
		}
	}
	must(t, l.Close())
}

// listenAsNobody is a child without rights that says what became of its Listen.
func listenAsNobody(args []string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	_, err := uds.Listen(uds.Stream, args[0], nil)
	return say(err)
}

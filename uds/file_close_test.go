//go:build linux

package uds_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Close removes the file that it made, and none that took its path meanwhile. The
// file system may give the new file the number of the old one.
func TestCloseRemovesItsOwn(t *testing.T) {
	for what, put := range map[string]func(t *testing.T, path string){
		"a socket": func(t *testing.T, path string) { t.Helper(); leave(t, uds.Stream, path) },
		"a file":   func(t *testing.T, path string) { t.Helper(); must(t, os.WriteFile(path, nil, 0o600)) },
		"a link": func(t *testing.T, path string) {
			t.Helper()
			must(t, os.Symlink("elsewhere", path))
		},
		"a directory": func(t *testing.T, path string) { t.Helper(); must(t, os.Mkdir(path, 0o700)) },
		"a file that was moved there": func(t *testing.T, path string) {
			t.Helper()
			must(t, os.WriteFile(path+"2", nil, 0o600))
			must(t, os.Rename(path+"2", path))
		},
	} {
		for _, kind := range kinds() {
			t.Run(what+" instead of a "+kind.String(), func(t *testing.T) {
				leaktest.Check(t)
				path := place(t) + "/socket"
				s, err := listenAny(kind, path, nil)
				must(t, err)
				must(t, os.Remove(path))
				put(t, path)
				before, err := os.Lstat(path)
				must(t, err)
				must(t, s.Close())
				if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
					t.Errorf("the file after Close: %v, %v; want it untouched", after, err)
				}
			})
		}
	}
}

// A file that somebody removed is no error of Close.
func TestCloseWithoutFile(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, kind := range kinds() {
		s, err := listenAny(kind, dir+"/a/socket", &uds.ListenOptions{Dir: 0o700})
		must(t, err)
		must(t, os.RemoveAll(dir+"/a"))
		if err := s.Close(); err != nil {
			t.Errorf("%s: Close without a file: %v", kind, err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: second Close: %v, want net.ErrClosed", kind, err)
		}
	}
}

// A file that Close may not remove is an error, and the socket is closed.
func TestCloseNotPermitted(t *testing.T) {
	root(t)
	leaktest.Check(t)
	dir := openPlace(t)
	c := startChild(t, "close", []string{dir + "/socket"})
	c.expect(t, "listens")
	must(t, os.Chmod(dir, 0o755))
	c.tell(t, "close")
	c.expect(t, "not permitted")
	if _, err := uds.Dial(patient(t), uds.Stream, dir+"/socket"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("Dial after Close: %v, want ECONNREFUSED", err)
	}
}

// closeChild is a child without rights that closes when it is told to.
func closeChild(args []string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	l, err := uds.Listen(uds.Stream, args[0], nil)
	if err != nil {
		return err
	}
	if err := say("listens"); err != nil {
		return err
	}
	if _, err := hear(); err != nil {
		return err
	}
	if err := l.Close(); !errors.Is(err, fs.ErrPermission) {
		return say(err)
	}
	return say("not permitted")
}

// A relative path is one of the directory in which it was bound.
func TestCloseElsewhere(t *testing.T) {
	leaktest.Check(t)
	here, there := place(t), place(t)
	for _, kind := range kinds() {
		t.Chdir(here)
		s, err := listenAny(kind, "socket", nil)
		must(t, err)
		t.Chdir(there)
		must(t, os.WriteFile("socket", nil, 0o600))
		must(t, s.Close())
		if left := entries(t, here); len(left) > 0 {
			t.Errorf("%s: left after Close: %q, want nothing", kind, left)
		}
		must(t, os.Remove("socket"))
	}
	t.Chdir(here) // the others are removed first
}

// Detach keeps the file for a Listener's Close, and leaves that of a Datagram.
func TestCloseAfterDetach(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, kind := range []uds.Kind{uds.Stream, uds.SeqPacket} {
		path := dir + "/" + kind.String()
		l, err := uds.Listen(kind, path, nil)
		must(t, err)
		fd, err := l.Detach()
		must(t, err)
		if got := modeOf(path); got != fs.ModeSocket|0o600 {
			t.Errorf("%s: mode after Detach = %v, want the file", kind, got)
		}
		must(t, l.Close())
		if got := modeOf(path); got != fs.ModeIrregular {
			t.Errorf("%s: mode after Close = %v, want no file", kind, got)
		}
		must(t, unix.Close(fd))
	}
	path := dir + "/datagram"
	c, err := uds.ListenDatagram(path, nil)
	must(t, err)
	s, err := c.Detach()
	must(t, err)
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close after Detach: %v, want net.ErrClosed", err)
	}
	if got := modeOf(path); got != fs.ModeSocket|0o600 {
		t.Errorf("mode after Detach of a Datagram = %v, want the file", got)
	}
	c, err = s.Attach()
	must(t, err)
	serves(t, c, uds.Datagram, path)
	must(t, c.Close())
	if got := modeOf(path); got != fs.ModeSocket|0o600 {
		t.Errorf("mode after Close of a Conn that did not make it = %v, want the file", got)
	}
}

//go:build linux

package sysvmsg_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

func TestFileKeyFormula(t *testing.T) {
	for _, c := range []struct {
		device, inode uint64
		project       byte
		want          sysvmsg.Key
	}{
		{0, 0, 1, 0x01000000},
		{0x12, 0x3456, 'T', 0x54123456},
		{0x112, 0x3456, 'T', 0x54123456},      // another device: the same low byte
		{0x12, 0xab3456, 'T', 0x54123456},     // another file: the same low half
		{0xff, 0xffff, 0x7f, 0x7fffffff},      // the largest
		{0, 0, 0x80, -0x80000000},             // project has the sign
		{0xff, 0xffff, 0xff, -1},              // what ftok(3) reports failure by
		{1<<63 + 2, 1<<63 + 3, 1, 0x01020003}, // all else is cut off
	} {
		if got := sysvmsg.FileKeyOf(c.device, c.inode, c.project); got != c.want {
			t.Errorf("fileKey(%#x, %#x, %#x) = %v; want %v", c.device, c.inode, c.project, got, c.want)
		}
	}
}

func TestFileKey(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	must(t, os.WriteFile(one, nil, 0o600))
	must(t, os.Link(one, two))
	var s unix.Stat_t
	must(t, unix.Stat(one, &s))
	want := sysvmsg.Key('P')<<24 | sysvmsg.Key(s.Dev&0xff)<<16 | sysvmsg.Key(s.Ino&0xffff)
	for _, path := range []string{one, two} { // two names of one file
		if got, err := sysvmsg.FileKey(path, 'P'); got != want || err != nil {
			t.Errorf("FileKey(%s) = %v, %v; want %v, <nil>", path, got, err, want)
		}
	}
	if got, err := sysvmsg.FileKey(one, 'Q'); got != want+1<<24 || err != nil {
		t.Errorf("FileKey of another project = %v, %v; want %v, <nil>", got, err, want+1<<24)
	}
	if _, err := sysvmsg.FileKey(filepath.Join(dir, "none"), 'P'); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("FileKey of no file = %v; want %v", err, fs.ErrNotExist)
	}
	if _, err := sysvmsg.FileKey(one, 0); !errors.Is(err, unix.EINVAL) {
		t.Errorf("FileKey(%s, 0) = %v; want %v", one, err, unix.EINVAL)
	}
}

// A file that takes the place of another has a key of its own, though not its name.
func TestFileKeyOfAFileMadeAnew(t *testing.T) {
	dir := t.TempDir()
	path, next := filepath.Join(dir, "tasks"), filepath.Join(dir, "next")
	must(t, os.WriteFile(path, nil, 0o600))
	before, err := sysvmsg.FileKey(path, 1)
	must(t, err)
	must(t, os.WriteFile(next, nil, 0o600)) // while the old one has its inode
	must(t, os.Rename(next, path))
	after, err := sysvmsg.FileKey(path, 1)
	if err != nil || after == before {
		t.Errorf("FileKey of the new file = %v, %v; want another than %v", after, err, before)
	}
}

func TestKeyString(t *testing.T) {
	for key, want := range map[sysvmsg.Key]string{
		sysvmsg.Private: "private",
		0x5401002a:      "0x5401002a",
		1:               "0x00000001",
		-1:              "0xffffffff",
	} {
		if got := key.String(); got != want {
			t.Errorf("Key(%d).String() = %q; want %q", int32(key), got, want)
		}
	}
}

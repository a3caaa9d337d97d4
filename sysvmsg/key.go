//go:build linux

package sysvmsg

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Key is the name by which processes find a queue, key_t. Keys have no owner:
// whoever chooses the same one meets the same queue.
type Key int32

// Private is the key of queues without a name, IPC_PRIVATE. Each Open of it creates
// a queue, which others find by its ID only.
const Private Key = 0

// String returns the key as ipcs(1) shows it, or "private".
func (k Key) String() string {
	if k == Private {
		return "private"
	}
	return fmt.Sprintf("0x%08x", uint32(k))
}

// FileKey makes a key of a file that exists and a project, which must not be 0, as
// ftok(3) does: from the low 8 bits of project, the low 8 bits of the device
// number, and the low 16 bits of the inode number. It does not read the file.
//
// Different files can have the same key: among a thousand files of one device that
// is likely. A file that is deleted and created again mostly has another key, and
// then the queue of the old one is not found any more. So choose a file that is
// never replaced, and a directory rather than a file that an editor saves.
func FileKey(path string, project byte) (Key, error) {
	if project == 0 {
		return 0, fmt.Errorf("sysvmsg: key of %s: project 0: %w", path, unix.EINVAL)
	}
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	for err == unix.EINTR {
		err = unix.Stat(path, &s)
	}
	if err != nil {
		return 0, fmt.Errorf("sysvmsg: key of %s: %w", path, os.NewSyscallError("stat", err))
	}
	return fileKey(uint64(s.Dev), s.Ino, project), nil //nolint:unconvert // it has other widths elsewhere
}

// fileKey is the formula of ftok(3).
func fileKey(device, inode uint64, project byte) Key {
	return Key(uint32(project)<<24 | uint32(device&0xff)<<16 | uint32(inode&0xffff)) // the sign bit is project's
}

//go:build linux

package sysvmsg

import (
	"fmt"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// SetCapacity lets the queue take so many bytes of messages, and as many messages;
// at least 1. What is in the queue stays, even if that is more. Senders that wait
// notice; one whose message has become larger than the capacity goes on waiting.
//
// It takes the owner, the creator or CAP_SYS_ADMIN, and above kernel.msgmnb
// CAP_SYS_RESOURCE besides; otherwise it is fs.ErrPermission. Two changes of one
// queue at the same time, by this or SetPermissions, can undo each other.
func (q *Queue) SetCapacity(bytes int) error {
	return q.wrap("set the capacity of", q.setCapacity(bytes))
}

func (q *Queue) setCapacity(bytes int) error {
	if bytes < 1 {
		return fmt.Errorf("%d bytes: %w", bytes, unix.EINVAL)
	}
	e := q.change(func(s *queueState) { s.capacity = uint(bytes) })
	if e == unix.EPERM {
		limits, err := ReadLimits()
		if err == nil && bytes > limits.Capacity {
			return fmt.Errorf("%d bytes, above kernel.msgmnb, %d, takes CAP_SYS_RESOURCE: %w",
				bytes, limits.Capacity, os.NewSyscallError("msgctl", e))
		}
	}
	return q.explain("msgctl", e)
}

// SetPermissions sets who may read and write, in mode as for a file, and the owner;
// -1 keeps the user or the group. Mode 0 locks out all but the privileged until the
// owner or the creator, who always may, sets another.
//
// It takes the owner, the creator or CAP_SYS_ADMIN; otherwise it is
// fs.ErrPermission. Two changes of one queue at the same time, by this or
// SetCapacity, can undo each other.
func (q *Queue) SetPermissions(mode fs.FileMode, uid, gid int) error {
	return q.wrap("set the permissions of", q.setPermissions(mode, uid, gid))
}

func (q *Queue) setPermissions(mode fs.FileMode, uid, gid int) error {
	if err := checkMode(mode); err != nil {
		return err
	}
	if !ownerID(uid) || !ownerID(gid) {
		return fmt.Errorf("owner %d:%d: %w", uid, gid, unix.EINVAL)
	}
	return q.explain("msgctl", q.change(func(s *queueState) {
		s.perm.mode = uint32(mode)
		if uid >= 0 {
			s.perm.uid = uint32(uid)
		}
		if gid >= 0 {
			s.perm.gid = uint32(gid)
		}
	}))
}

// ownerID reports whether id may be a user or a group, or is -1.
func ownerID(id int) bool { return id >= -1 && int64(id) < math.MaxUint32 }

// change sets what edit makes of the state of q. The kernel sets all or nothing.
func (q *Queue) change(edit func(*queueState)) unix.Errno {
	s, e := q.state()
	if e != 0 {
		return e
	}
	edit(&s)
	_, e = rawControl(q.id, ipcSet, &s)
	return e
}

// Remove removes the queue, with all messages in it. Whoever waits on it gets
// [ErrRemoved], as does whoever uses it later, and a second Remove.
//
// It takes the owner, the creator or CAP_SYS_ADMIN; otherwise it is
// fs.ErrPermission.
func (q *Queue) Remove() error {
	_, e := rawControl(q.id, ipcRemove, nil)
	return q.wrap("remove", q.explain("msgctl", e))
}

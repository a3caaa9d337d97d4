//go:build linux

package sysvmsg

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Stat is what the kernel knows of a queue.
type Stat struct {
	ID       int
	Key      Key
	Mode     fs.FileMode // permissions only
	UID, GID int         // of the owner

	CreatorUID, CreatorGID int // may do what the owner may

	Messages int // in the queue
	Bytes    int // of payload in the queue
	Capacity int // bytes that the queue takes; 0 in what List returns, which is not told

	LastSender   int // process that sent last; 0: none, or of another PID namespace
	LastReceiver int // process that received last; 0: none, or of another PID namespace

	SentAt     time.Time // of the last send, in seconds; zero: never
	ReceivedAt time.Time // of the last receive, in seconds; zero: never
	ChangedAt  time.Time // of the creation, or of the last change of what is settable
}

// Limits are the limits of the IPC namespace.
type Limits struct {
	Message  int // bytes of a message, kernel.msgmax
	Capacity int // bytes of a queue unless it has been set otherwise, kernel.msgmnb
	Queues   int // kernel.msgmni
}

// ReadLimits returns the limits that are in force now.
func ReadLimits() (Limits, error) {
	var i info
	if e := rawInfo(&i); e != 0 {
		return Limits{}, fmt.Errorf("sysvmsg: limits: %w", os.NewSyscallError("msgctl", e))
	}
	return Limits{int(i.msgmax), int(i.msgmnb), int(i.msgmni)}, nil
}

// Stat returns the state of the queue. It takes permission to read.
func (q *Queue) Stat() (Stat, error) {
	var s queueState
	if _, e := rawControl(q.id, ipcStat, &s); e != 0 {
		return Stat{}, q.failed("stat", "msgctl", e)
	}
	return q.stat(&s), nil
}

// stat translates what the kernel has said of q.
func (q *Queue) stat(s *queueState) Stat {
	return Stat{
		ID:           q.id,
		Key:          Key(s.perm.key),
		Mode:         fs.FileMode(s.perm.mode) & fs.ModePerm,
		UID:          int(s.perm.uid),
		GID:          int(s.perm.gid),
		CreatorUID:   int(s.perm.cuid),
		CreatorGID:   int(s.perm.cgid),
		Messages:     clamp(s.messages),
		Bytes:        clamp(s.bytes),
		Capacity:     clamp(s.capacity),
		LastSender:   int(s.lastSender),
		LastReceiver: int(s.lastReceiver),
		SentAt:       s.sent.time(),
		ReceivedAt:   s.received.time(),
		ChangedAt:    s.changed.time(),
	}
}

// clamp is n, or the largest int.
func clamp(n uint) int { return int(min(n, math.MaxInt)) }

// time returns the time, the zero value for 0.
func (s seconds) time() time.Time {
	var n uint64
	for i, word := range s {
		n |= uint64(word) << (32 * i)
	}
	return unixTime(int64(n))
}

func unixTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// state returns what the kernel knows of q, without permission to read if it can:
// one who may only send needs the capacity, and an owner who has taken his own
// permissions away needs the rest to give them back.
func (q *Queue) state() (queueState, unix.Errno) {
	var s queueState
	_, e := rawControl(q.id, ipcStat, &s)
	if e != unix.EACCES {
		return s, e
	}
	for _, bits := range [...]int{indexBits, indexBitsEx} {
		// It wants the index, and answers with the ID.
		if id, e := rawControl(q.id&(1<<bits-1), msgStatAny, &s); e == 0 && id == q.id {
			return s, 0
		}
	}
	return queueState{}, unix.EACCES
}

// removed reports whether there is no such queue.
func (q *Queue) removed() bool {
	_, e := q.state()
	return e == unix.EINVAL || e == unix.EIDRM
}

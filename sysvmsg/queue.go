//go:build linux

package sysvmsg

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// A Queue is a message queue of the kernel. It comes from Open or OpenID; the zero
// value may be anybody's.
type Queue struct {
	id      int
	key     Key
	created bool
}

// Create says whether Open makes a queue or takes one that exists.
type Create int

const (
	// CreateIfMissing takes the queue of the key, or creates it. [Queue.Created] tells
	// which it was, also if many processes do so at the same time.
	CreateIfMissing Create = iota

	// CreateExclusive creates a queue. If the key has one, that is fs.ErrExist.
	CreateExclusive

	// Existing takes a queue that exists. If there is none, that is fs.ErrNotExist.
	Existing
)

// Options say how to open a queue. Nil means the zero value.
type Options struct {
	Create Create

	// Mode has the permissions of a queue that is created: read and write for owner,
	// group and others, as for a file, but no umask is applied. Of one that exists it
	// is the access that is asked for: 0200, say, for one who only sends. 0 means 0600.
	Mode fs.FileMode

	// Capacity is that of a queue that is created, in bytes of messages; one that
	// exists keeps its own. 0 means kernel.msgmnb, and more takes CAP_SYS_RESOURCE: if
	// it is refused, the queue is removed again, with what others have sent meanwhile.
	Capacity int
}

// attempts bounds how often Open tries again because of others, who create and
// remove the queue in turns.
const attempts = 10_000

// Open returns the queue of the key. One that has been created is the caller's to
// remove, if it is not to stay: see [Queue.Remove].
//
// It reports fs.ErrExist and fs.ErrNotExist as [Create] says, fs.ErrPermission if
// the queue does not grant the access of Mode or takes no such capacity, and ENOSPC if
// the namespace has as many queues as kernel.msgmni allows. See msgget(2).
func Open(key Key, o *Options) (*Queue, error) {
	if o == nil {
		o = &Options{}
	}
	q, err := open(key, o)
	if err != nil {
		return nil, fmt.Errorf("sysvmsg: open key %s: %w", key, err)
	}
	return q, nil
}

// OpenID returns the queue that has this ID, a private one for example, whose ID
// another process has told. Whether it may be used shows when it is; if there is no
// such queue, that is [ErrRemoved].
func OpenID(id int) (*Queue, error) {
	q := &Queue{id: id}
	s, e := q.state()
	if e != 0 {
		return nil, fmt.Errorf("sysvmsg: open queue %d: %w", id, q.explain("msgctl", e))
	}
	q.key = Key(s.perm.key)
	return q, nil
}

func open(key Key, o *Options) (*Queue, error) {
	if err := o.check(key); err != nil {
		return nil, err
	}
	mode := int(o.Mode)
	if mode == 0 {
		mode = 0o600
	}
	e := unix.Errno(0)
	for range attempts {
		var id int
		if o.Create != Existing {
			// Exclusive first: that is how to know who has created it.
			id, e = rawGet(key, ipcCreate|ipcExcl|mode)
			if e == 0 {
				q := &Queue{id, key, true}
				return q, q.establish(o.Capacity)
			}
		}
		if o.Create == Existing || o.Create == CreateIfMissing && e == unix.EEXIST {
			id, e = rawGet(key, mode)
			if e == 0 {
				return &Queue{id, key, false}, nil
			}
		}
		if o.Create != CreateIfMissing || e != unix.ENOENT {
			break
		}
		runtime.Gosched() // out of step with them
	}
	return nil, getError(e)
}

// check returns an error unless o makes sense.
func (o *Options) check(key Key) error {
	switch {
	case o.Create < CreateIfMissing || o.Create > Existing:
		return fmt.Errorf("Create %d is none of the three: %w", int(o.Create), unix.EINVAL)
	case o.Create == Existing && key == Private:
		return fmt.Errorf("a private queue can only be created, or opened by its ID: %w", unix.EINVAL)
	case o.Capacity < 0:
		return fmt.Errorf("capacity of %d bytes: %w", o.Capacity, unix.EINVAL)
	}
	return checkMode(o.Mode)
}

// checkMode returns an error unless mode has permissions only.
func checkMode(mode fs.FileMode) error {
	if mode&^fs.ModePerm != 0 {
		return fmt.Errorf("mode %v is more than permissions: %w", mode, unix.EINVAL)
	}
	return nil
}

// establish gives a queue that has just been created its capacity, or removes it.
func (q *Queue) establish(capacity int) error {
	if capacity == 0 {
		return nil
	}
	err := q.setCapacity(capacity)
	if err != nil {
		_ = q.Remove() // the error says why
	}
	return err
}

// getError explains the error of msgget(2).
func getError(e unix.Errno) error {
	err := os.NewSyscallError("msgget", e)
	if e != unix.ENOSPC {
		return err
	}
	limits, infoErr := ReadLimits()
	if infoErr != nil {
		return err
	}
	return fmt.Errorf("as many queues as kernel.msgmni allows, %d: %w", limits.Queues, err)
}

// ID returns the number that the kernel has given to the queue. It is valid in all
// processes of the IPC namespace, until the queue is removed.
func (q *Queue) ID() int { return q.id }

// Key returns the key that the queue was made with; Private if there is none.
func (q *Queue) Key() Key { return q.key }

// Created reports whether Open created the queue. If it did not, there may be
// messages in it from earlier times.
func (q *Queue) Created() bool { return q.created }

// String returns something like "queue 17 (key 0x54010a2b)".
func (q *Queue) String() string {
	if q.key == Private {
		return fmt.Sprintf("queue %d (private)", q.id)
	}
	return fmt.Sprintf("queue %d (key %s)", q.id, q.key)
}

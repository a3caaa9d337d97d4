//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

const nobody = 65534

// asNobody runs a child as a user who may nothing, which takes root.
func asNobody(tb testing.TB, name string, argument int) {
	tb.Helper()
	startChild(tb, name, argument, &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
	}).end(tb)
}

// matches returns an error unless got matches want, nil for nil.
func matches(call string, got, want error) error {
	if want == nil && got == nil || want != nil && errors.Is(got, want) {
		return nil
	}
	return differ("%s = %v; want %v", call, got, want)
}

// ownQueue uses a queue of an ordinary user's own.
func ownQueue() (err error) {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Remove()) }()
	limits, err := sysvmsg.ReadLimits()
	if err != nil {
		return err
	}
	above := limits.Capacity + 1
	tooMuch := q.SetCapacity(above)
	err = errors.Join(
		matches("SetCapacity above kernel.msgmnb", tooMuch, fs.ErrPermission),
		matches("SetCapacity below it", q.SetCapacity(limits.Capacity-1), nil),
	)
	for _, hint := range []string{"CAP_SYS_RESOURCE", strconv.Itoa(above), strconv.Itoa(limits.Capacity)} {
		if !strings.Contains(fmt.Sprint(tooMuch), hint) {
			err = errors.Join(err, differ("SetCapacity = %q; want it to name %s", tooMuch, hint))
		}
	}
	_, stat := q.Stat()
	err = errors.Join(err, matches("Stat", stat, nil))
	return errors.Join(err, lockedOut(q), capacityTaken(above))
}

// lockedOut is about a queue whose owner has no permissions, but may take them.
func lockedOut(q *sysvmsg.Queue) error {
	err := matches("SetPermissions(0)", q.SetPermissions(0, -1, -1), nil)
	_, _, receive := q.TryReceive(sysvmsg.Any(), nil)
	_, _, peek := q.Peek(0, nil)
	_, stat := q.Stat()
	return errors.Join(
		err,
		matches("TrySend", q.TrySend(1, nil), fs.ErrPermission),
		matches("TryReceive", receive, fs.ErrPermission),
		matches("Peek", peek, fs.ErrPermission),
		matches("Stat", stat, fs.ErrPermission),
		matches("SetPermissions(0600)", q.SetPermissions(0o600, -1, -1), nil),
		matches("TrySend again", q.TrySend(1, nil), nil),
	)
}

// capacityTaken is about an Open that gets its queue, and not the capacity: the
// queue must not stay.
func capacityTaken(capacity int) error {
	key := sysvmsg.Key(1<<30 | os.Getpid()) // nobody else's
	o := sysvmsg.Options{Create: sysvmsg.CreateExclusive, Capacity: capacity}
	_, open := sysvmsg.Open(key, &o)
	o = sysvmsg.Options{Create: sysvmsg.Existing}
	_, after := sysvmsg.Open(key, &o)
	return errors.Join(
		matches("Open with a capacity above kernel.msgmnb", open, fs.ErrPermission),
		matches("Open of what that has left", after, fs.ErrNotExist),
	)
}

func TestOwnQueueOfAnOrdinaryUser(t *testing.T) {
	checkLeaks(t)
	if os.Geteuid() == 0 {
		asNobody(t, "owner", 0)
		return
	}
	must(t, ownQueue())
}

// strangeQueue uses a queue of another user, who lets others send, or do nothing.
func strangeQueue(id int) error {
	q, err := sysvmsg.OpenID(id)
	if err != nil {
		return err
	}
	o := sysvmsg.Options{Create: sysvmsg.Existing}
	_, toUse := sysvmsg.Open(q.Key(), &o)
	_, toCreate := sysvmsg.Open(q.Key(), nil)
	o.Mode = 0o200
	_, toSend := sysvmsg.Open(q.Key(), &o)
	o.Mode = 0o400
	_, toReceive := sysvmsg.Open(q.Key(), &o)
	_, _, receive := q.TryReceive(sysvmsg.Any(), nil)
	_, discard := q.Discard(sysvmsg.Any())
	_, stat := q.Stat()
	err = errors.Join(
		matches("Open", toUse, fs.ErrPermission),
		matches("Open, CreateIfMissing", toCreate, fs.ErrPermission),
		matches("Open to receive", toReceive, fs.ErrPermission),
		matches("TryReceive", receive, fs.ErrPermission),
		matches("Discard", discard, fs.ErrPermission),
		matches("Stat", stat, fs.ErrPermission),
		matches("SetCapacity", q.SetCapacity(50), fs.ErrPermission),
		matches("SetPermissions", q.SetPermissions(0o666, -1, -1), fs.ErrPermission),
		matches("Remove", q.Remove(), fs.ErrPermission),
	)
	mode, listed := listedMode(id)
	if listed != nil || mode == 0o600 {
		return errors.Join(
			err, listed,
			matches("Open to send", toSend, fs.ErrPermission),
			matches("TrySend", q.TrySend(1, nil), fs.ErrPermission),
		)
	}
	// A producer: it may send, and is told what it can never send.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(
		err,
		matches("Open to send", toSend, nil),
		matches("Send", q.Send(ctx, 1, make([]byte, 100)), nil),
		matches("TrySend to a full queue", q.TrySend(1, make([]byte, 100)), sysvmsg.ErrFull),
		matches("Send of 101 bytes", q.Send(ctx, 1, make([]byte, 101)), sysvmsg.ErrTooLarge),
	)
}

// listedMode returns the permissions of a queue that one may not read.
func listedMode(id int) (fs.FileMode, error) {
	queues, err := sysvmsg.List()
	for _, s := range queues {
		if s.ID == id {
			return s.Mode, nil
		}
	}
	return 0, errors.Join(err, errors.New("List has not the queue"))
}

func TestQueueOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to be somebody else")
	}
	checkLeaks(t)
	for _, mode := range []fs.FileMode{0o600, 0o622} {
		q, err := sysvmsg.Open(freshKey(t), &sysvmsg.Options{Mode: mode, Capacity: 100})
		must(t, err)
		removeAtEnd(t, q)
		asNobody(t, "stranger", q.ID())
	}
}

// An owner can give a queue away, and the creator keeps his rights.
func TestGiveAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to give a queue to somebody")
	}
	checkLeaks(t)
	q := private(t, 0)
	must(t, q.SetPermissions(0o640, nobody, nobody-1))
	s, err := q.Stat()
	if err != nil || s.UID != nobody || s.GID != nobody-1 || s.CreatorUID != 0 || s.Mode != 0o640 {
		t.Errorf("Stat() = %+v, %v; want owner %d:%d", s, err, nobody, nobody-1)
	}
	if largest := uint64(math.MaxUint32); strconv.IntSize > 32 { // the user -1
		wantError(t, "SetPermissions of no user", q.SetPermissions(0o640, int(largest), -1), unix.EINVAL)
	}
}

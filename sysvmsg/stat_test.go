//go:build linux

package sysvmsg_test

import (
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// wantState fails tb unless Stat and List both say this of q, but for the times.
func wantState(tb testing.TB, q *sysvmsg.Queue, want sysvmsg.Stat) {
	tb.Helper()
	noTimes := func(s sysvmsg.Stat) sysvmsg.Stat {
		s.SentAt, s.ReceivedAt, s.ChangedAt = time.Time{}, time.Time{}, time.Time{}
		return s
	}
	s, err := q.Stat()
	must(tb, err)
	if diff := cmp.Diff(want, noTimes(s)); diff != "" {
		tb.Errorf("Stat (-want +got):\n%s", diff)
	}
	queues, err := sysvmsg.List()
	must(tb, err)
	i := slices.IndexFunc(queues, func(s sysvmsg.Stat) bool { return s.ID == q.ID() })
	if i < 0 {
		tb.Fatalf("List has no %v", q)
	}
	s.Capacity = 0 // the list does not tell
	if diff := cmp.Diff(s, queues[i]); diff != "" {
		tb.Errorf("List (-Stat +List):\n%s", diff)
	}
}

func TestStat(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	start := time.Now().Add(-time.Second) // the kernel counts whole seconds
	q, err := sysvmsg.Open(key, &sysvmsg.Options{Mode: 0o640, Capacity: 5000})
	must(t, err)
	removeAtEnd(t, q)
	want := sysvmsg.Stat{
		ID: q.ID(), Key: key, Mode: 0o640, Capacity: 5000,
		UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
	}
	wantState(t, q, want)
	s, err := q.Stat()
	must(t, err)
	if !s.SentAt.IsZero() || !s.ReceivedAt.IsZero() || s.ChangedAt.Before(start) {
		t.Errorf("times of a new queue: %v, %v, %v; want never, never, now", s.SentAt, s.ReceivedAt, s.ChangedAt)
	}

	send(t, q, 1, "hello")
	send(t, q, 2, "world!")
	want.Messages, want.Bytes, want.LastSender = 2, 11, os.Getpid()
	wantState(t, q, want)
	wantMessage(t, q, sysvmsg.Any(), 1, "hello")
	want.Messages, want.Bytes, want.LastReceiver = 1, 6, os.Getpid()
	wantState(t, q, want)
	s, err = q.Stat()
	must(t, err)
	end := time.Now()
	for name, at := range map[string]time.Time{"SentAt": s.SentAt, "ReceivedAt": s.ReceivedAt} {
		if at.Before(start) || at.After(end) {
			t.Errorf("%s is %v; want it between %v and %v", name, at, start, end)
		}
	}

	must(t, q.SetCapacity(4000))
	must(t, q.SetPermissions(0o600, -1, -1))
	want.Capacity, want.Mode = 4000, 0o600
	wantState(t, q, want)
	must(t, q.SetPermissions(0o604, os.Geteuid(), os.Getegid()))
	want.Mode = 0o604
	wantState(t, q, want)
}

// What is in the queue stays when the capacity falls below it.
func TestSetCapacity(t *testing.T) {
	checkLeaks(t)
	q := private(t, 100)
	send(t, q, 1, strings.Repeat("x", 100))
	must(t, q.SetCapacity(50))
	wantCount(t, q, 1, 100)
	wantError(t, "TrySend(51 bytes)", q.TrySend(1, make([]byte, 51)), sysvmsg.ErrTooLarge)
	wantError(t, "TrySend(50 bytes)", q.TrySend(1, make([]byte, 50)), sysvmsg.ErrFull)
	_, err := q.Discard(sysvmsg.Any())
	must(t, err)
	must(t, q.TrySend(1, make([]byte, 50)))
	for _, bytes := range []int{0, -1} {
		wantError(t, "SetCapacity below 1", q.SetCapacity(bytes), unix.EINVAL)
	}
}

func TestSetPermissionsOfNonsense(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	for _, err := range []error{
		q.SetPermissions(fs.ModeSetuid|0o600, -1, -1),
		q.SetPermissions(0o1600, -1, -1),
		q.SetPermissions(0o600, -2, -1),
		q.SetPermissions(0o600, -1, -2),
	} {
		wantError(t, "SetPermissions", err, unix.EINVAL)
	}
	s, err := q.Stat()
	if err != nil || s.Mode != 0o600 || s.UID != os.Geteuid() {
		t.Errorf("Stat() = %v, user %d, %v; want it unchanged", s.Mode, s.UID, err)
	}
}

func TestReadLimits(t *testing.T) {
	got, err := sysvmsg.ReadLimits()
	must(t, err)
	read := func(name string) int {
		text, err := os.ReadFile("/proc/sys/kernel/" + name)
		must(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		must(t, err)
		return n
	}
	want := sysvmsg.Limits{Message: read("msgmax"), Capacity: read("msgmnb"), Queues: read("msgmni")}
	if got != want {
		t.Errorf("ReadLimits() = %+v; want %+v", got, want)
	}
}

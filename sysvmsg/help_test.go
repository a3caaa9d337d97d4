//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// private returns a new queue without a name, which is gone at the end of the test.
func private(tb testing.TB, capacity int) *sysvmsg.Queue {
	tb.Helper()
	q, err := sysvmsg.Open(sysvmsg.Private, &sysvmsg.Options{Capacity: capacity})
	must(tb, err)
	removeAtEnd(tb, q)
	return q
}

// removeAtEnd removes q at the end of the test, unless that has done so, and looks
// whether it is gone.
func removeAtEnd(tb testing.TB, q *sysvmsg.Queue) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := q.Remove(); err != nil && !errors.Is(err, sysvmsg.ErrRemoved) {
			tb.Error(err)
		}
		queues, err := sysvmsg.List()
		if err != nil {
			tb.Error(err)
		}
		if slices.ContainsFunc(queues, func(s sysvmsg.Stat) bool { return s.ID == q.ID() }) {
			tb.Errorf("%v is there after the test", q)
		}
	})
}

// freshKey returns a key of a file of the test's, which no queue has.
func freshKey(tb testing.TB) sysvmsg.Key {
	tb.Helper()
	dir := tb.TempDir()
	for project := byte(1); project != 0; project++ {
		key, err := sysvmsg.FileKey(dir, project)
		must(tb, err)
		_, err = sysvmsg.Open(key, &sysvmsg.Options{Create: sysvmsg.Existing})
		if errors.Is(err, os.ErrNotExist) {
			tb.Cleanup(func() {
				if q, err := sysvmsg.Open(key, &sysvmsg.Options{Create: sysvmsg.Existing}); err == nil {
					tb.Errorf("%v is there after the test; removed: %v", q, q.Remove())
				}
			})
			return key
		}
	}
	tb.Fatalf("queues have all keys of %s", dir)
	return 0
}

// within returns a context for what must not take long.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	return ctx
}

// send sends a message, for which there is room.
func send(tb testing.TB, q *sysvmsg.Queue, t sysvmsg.Type, text string) {
	tb.Helper()
	if err := q.TrySend(t, []byte(text)); err != nil {
		tb.Fatalf("TrySend(%d, %q) = %v; want <nil>", t, text, err)
	}
}

// wantMessage receives a message, which must be this one.
func wantMessage(tb testing.TB, q *sysvmsg.Queue, s sysvmsg.Selector, t sysvmsg.Type, text string) {
	tb.Helper()
	buf := make([]byte, 8192)
	n, got, err := q.TryReceive(s, buf)
	if err != nil || got != t || string(buf[:n]) != text {
		tb.Fatalf("TryReceive(%v) = %q, %d, %v; want %q, %d, <nil>", s, buf[:n], got, err, text, t)
	}
}

// wantError fails tb unless err matches all of these.
func wantError(tb testing.TB, call string, err error, targets ...error) {
	tb.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			tb.Errorf("%s = %v; want %v", call, err, target)
		}
	}
}

// wantCount fails tb unless q has so many messages and bytes.
func wantCount(tb testing.TB, q *sysvmsg.Queue, messages, bytes int) {
	tb.Helper()
	s, err := q.Stat()
	if err != nil || s.Messages != messages || s.Bytes != bytes {
		tb.Errorf("Stat() = %d messages, %d bytes, %v; want %d, %d, <nil>", s.Messages, s.Bytes, err, messages, bytes)
	}
}

// eventually waits until what comes with no notice has come.
func eventually(tb testing.TB, what string, come func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !come() {
		if time.Now().After(deadline) {
			tb.Fatalf("not so after %v: %s", patience, what)
		}
		runtime.Gosched()
	}
}

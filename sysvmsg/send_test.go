//go:build linux

package sysvmsg_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// senders are the two ways to send, of which neither waits in these tests.
func senders(tb testing.TB, q *sysvmsg.Queue) map[string]func(t sysvmsg.Type, p []byte) error {
	tb.Helper()
	ctx := within(tb)
	return map[string]func(t sysvmsg.Type, p []byte) error{
		"Send":    func(t sysvmsg.Type, p []byte) error { return q.Send(ctx, t, p) },
		"TrySend": q.TrySend,
	}
}

func TestMessageSizes(t *testing.T) {
	checkLeaks(t)
	limits, err := sysvmsg.ReadLimits()
	must(t, err)
	if limits.Capacity < limits.Message {
		t.Skipf("kernel.msgmnb, %d, is below kernel.msgmax, %d", limits.Capacity, limits.Message)
	}
	q := private(t, 0)
	buf := make([]byte, limits.Message)
	for name, send := range senders(t, q) {
		for _, size := range []int{0, 1, 7, 8, 100, limits.Message - 1, limits.Message} {
			p := bytes.Repeat([]byte{byte(size + 1)}, size)
			if err := send(3, p); err != nil {
				t.Fatalf("%s(%d bytes) = %v; want <nil>", name, size, err)
			}
			n, typ, err := q.TryReceive(sysvmsg.Any(), buf)
			if err != nil || typ != 3 || !bytes.Equal(buf[:n], p) {
				t.Errorf("TryReceive of %d bytes = %d, %d, %v; want the same bytes, 3, <nil>", size, n, typ, err)
			}
		}
		for _, size := range []int{limits.Message + 1, 1 << 20} {
			err := send(3, make([]byte, size))
			wantError(t, name, err, sysvmsg.ErrTooLarge)
			if !strings.Contains(err.Error(), "kernel.msgmax") || !strings.Contains(err.Error(), q.String()) {
				t.Errorf("%s(%d bytes) = %q; want it to name kernel.msgmax and %v", name, size, err, q)
			}
		}
	}
	wantCount(t, q, 0, 0)
}

// The kernel would wait for ever to send what is larger than the queue.
func TestMessageLargerThanTheQueue(t *testing.T) {
	checkLeaks(t)
	q := private(t, 100)
	for name, send := range senders(t, q) {
		for _, size := range []int{101, 200} {
			wantError(t, name+" to an empty queue", send(1, make([]byte, size)), sysvmsg.ErrTooLarge)
		}
		must(t, send(1, make([]byte, 100)))
		wantError(t, name+" to a full queue", send(1, make([]byte, 101)), sysvmsg.ErrTooLarge)
		wantCount(t, q, 1, 100)
		_, err := q.Discard(sysvmsg.Any())
		must(t, err)
	}
}

// The capacity counts bytes, and messages that have none.
func TestTrySendUntilFull(t *testing.T) {
	checkLeaks(t)
	for _, c := range []struct{ capacity, size, want int }{
		{1000, 100, 10},
		{1000, 101, 9},
		{100, 1, 100},
		{100, 0, 100},
		{1, 0, 1},
	} {
		q := private(t, c.capacity)
		sent := 0
		var err error
		for sent <= c.want && err == nil {
			if err = q.TrySend(1, make([]byte, c.size)); err == nil {
				sent++
			}
		}
		if sent != c.want || err != sysvmsg.ErrFull { // bare
			t.Errorf("capacity %d takes %d messages of %d bytes, then %v; want %d, %v",
				c.capacity, sent, c.size, err, c.want, sysvmsg.ErrFull)
		}
		wantCount(t, q, c.want, c.want*c.size)
	}
}

func TestMessageTypes(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	for name, send := range senders(t, q) {
		for _, typ := range []sysvmsg.Type{1, 2, math.MaxInt32, math.MaxInt} {
			must(t, send(typ, []byte("x")))
			for _, s := range []sysvmsg.Selector{sysvmsg.Exact(typ), sysvmsg.Lowest(typ)} {
				wantMessage(t, q, s, typ, "x")
				must(t, q.TrySend(typ, []byte("x")))
			}
			wantMessage(t, q, sysvmsg.Any(), typ, "x")
		}
		for _, typ := range []sysvmsg.Type{0, -1, math.MinInt} {
			wantError(t, name+" of a type below 1", send(typ, []byte("x")), unix.EINVAL)
		}
	}
	wantCount(t, q, 0, 0)
}

// A queue that is full of one type has no room for another.
func TestTypesBlockEachOther(t *testing.T) {
	checkLeaks(t)
	q := private(t, 200)
	send(t, q, 2, strings.Repeat("r", 100))
	send(t, q, 2, strings.Repeat("r", 100))
	if err := q.TrySend(1, []byte("x")); err != sysvmsg.ErrFull {
		t.Errorf("TrySend(1) = %v; want %v", err, sysvmsg.ErrFull)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- q.Send(ctx, 1, []byte("x")) }()
	eventually(t, "Send waits", func() bool { return sysvmsg.Blocked() == 1 })
	cancel()
	wantError(t, "Send(1)", <-sent, context.Canceled)
	wantCount(t, q, 2, 200)
}

// Send goes on as soon as there is room, whoever has made it.
func TestSendWaitsForRoom(t *testing.T) {
	checkLeaks(t)
	for name, room := range map[string]func(q *sysvmsg.Queue) error{
		"receive": func(q *sysvmsg.Queue) error {
			_, _, err := q.TryReceive(sysvmsg.Any(), make([]byte, 100))
			return err
		},
		"discard":  func(q *sysvmsg.Queue) error { _, err := q.Discard(sysvmsg.Any()); return err },
		"capacity": func(q *sysvmsg.Queue) error { return q.SetCapacity(200) },
	} {
		for kind, ctx := range contexts(t) {
			q := private(t, 100)
			send(t, q, 1, strings.Repeat("a", 100))
			sent := make(chan error, 1)
			go func() { sent <- q.Send(ctx, 2, []byte("b")) }()
			eventually(t, "Send waits", func() bool { return sysvmsg.Blocked() == 1 })
			must(t, room(q))
			if err := <-sent; err != nil {
				t.Errorf("%s, %s: Send = %v; want <nil>", name, kind, err)
			}
			wantMessage(t, q, sysvmsg.Exact(2), 2, "b")
		}
	}
}

// contexts are one that never ends, and one that could.
func contexts(tb testing.TB) map[string]context.Context {
	tb.Helper()
	return map[string]context.Context{
		"no end":      context.WithoutCancel(tb.Context()),
		"with an end": within(tb),
	}
}

func TestSendDoesNotRetain(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	p := []byte("before")
	must(t, q.TrySend(1, p))
	copy(p, "behind")
	wantMessage(t, q, sysvmsg.Any(), 1, "before")
}

func TestSendAfterTheEnd(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	cause := errors.New("out of work")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	wantError(t, "Send", q.Send(ctx, 1, []byte("x")), cause, context.Canceled)
	wantCount(t, q, 0, 0)
}

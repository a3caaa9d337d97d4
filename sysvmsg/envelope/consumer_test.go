//go:build linux

package envelope_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

func TestConsumerReceivesWhatAProducerSends(t *testing.T) {
	leaktest.Check(t)
	q := queue(t, 0)
	p := envelope.NewProducer(q, 7)
	c := consumer(t, q, envelope.Drop{}, &envelope.Options{Schema: 7, MaxAge: time.Hour, MaxAhead: time.Second})
	before := time.Now()
	must(t, p.Send(within(t), 3, []byte("hello")))
	must(t, p.TrySend(5, nil))
	must(t, p.TrySend(3, []byte("last")))

	m, err := c.Receive(within(t), sysvmsg.Exact(5))
	if err != nil || m.Type != 5 || len(m.Payload) != 0 {
		t.Errorf("Receive(type 5) = %+v, %v; want an empty payload", m, err)
	}
	m, err = c.Receive(within(t), sysvmsg.Any())
	if err != nil || m.Type != 3 || string(m.Payload) != "hello" || m.Schema != 7 || m.Producer != envelope.Self() {
		t.Errorf("Receive() = %+v, %v; want %q of schema 7 from %v", m, err, "hello", envelope.Self())
	}
	if m.Time.Before(before.Round(0)) || m.Time.After(time.Now()) {
		t.Errorf("sent at %v; want a time after %v", m.Time, before)
	}
	if _, err = c.TryReceive(sysvmsg.Lowest(2)); !errors.Is(err, sysvmsg.ErrEmpty) {
		t.Errorf("TryReceive(lowest type up to 2) = %v; want ErrEmpty", err)
	}
	wantPayload(t, c, "last")
	wantStats(t, c, envelope.Stats{Received: 3})
}

// dirt is what may be in a queue that no Producer of the time has sent.
func dirt(tb testing.TB) []struct {
	message []byte
	reason  error
} {
	tb.Helper()
	now := time.Now()
	whole := pack(tb, envelope.Header{Time: now}, "payload")
	later := append([]byte(nil), whole...)
	later[4] = 9
	return []struct {
		message []byte
		reason  error
	}{
		{nil, envelope.ErrForeign},
		{[]byte("a:1:{i:0;i:7;}"), envelope.ErrForeign},
		{pack(tb, envelope.Header{Schema: 8, Time: now}, "another schema"), envelope.ErrForeign},
		{later, envelope.ErrVersion},
		{whole[:len(whole)-1], envelope.ErrCorrupt},
		{append(append([]byte(nil), whole...), whole...), envelope.ErrCorrupt},
		{pack(tb, envelope.Header{Time: now.Add(-2 * time.Hour)}, "old"), envelope.ErrStale},
		{pack(tb, envelope.Header{Time: now.Add(2 * time.Hour)}, "of the future"), envelope.ErrStale},
		{pack(tb, envelope.Header{}, "of no time"), envelope.ErrStale},
	}
}

func TestConsumerPutsDirtAside(t *testing.T) {
	leaktest.Check(t)
	q, aside := queue(t, 0), queue(t, 0)
	p := envelope.NewProducer(q, 0)
	all := dirt(t)
	for i, d := range all {
		must(t, q.TrySend(sysvmsg.Type(i+1), d.message))
		must(t, p.TrySend(1, []byte{byte(i)}))
	}
	c := consumer(t, q, envelope.ToQueue{Queue: aside}, &envelope.Options{MaxAge: time.Hour, MaxAhead: time.Hour})
	for i := range all {
		wantPayload(t, c, string([]byte{byte(i)}))
	}
	if m, err := c.TryReceive(sysvmsg.Any()); err != sysvmsg.ErrEmpty {
		t.Errorf("TryReceive() = %+v, %v; want ErrEmpty", m, err)
	}
	wantStats(t, c, envelope.Stats{Received: 9, Foreign: 3, Version: 1, Corrupt: 2, Stale: 3})
	for i, d := range all {
		wantRaw(t, aside, sysvmsg.Type(i+1), string(d.message))
	}
}

// A Quarantine is told why, for each kind of dirt.
func TestQuarantineIsToldWhy(t *testing.T) {
	q, all := queue(t, 0), dirt(t)
	for _, d := range all {
		must(t, q.TrySend(4, d.message))
	}
	aside := &memory{}
	c := consumer(t, q, aside, &envelope.Options{MaxAge: time.Hour, MaxAhead: time.Hour})
	if m, err := c.TryReceive(sysvmsg.Any()); err != sysvmsg.ErrEmpty {
		t.Errorf("TryReceive() = %+v, %v; want ErrEmpty", m, err)
	}
	for i, d := range all {
		if i >= len(aside.kept) || !errors.Is(aside.kept[i].reason, d.reason) || aside.kept[i].t != 4 {
			t.Fatalf("message %d of %q is in quarantine as %+v; want %v, and type 4", i, d.message, aside.kept, d.reason)
		}
	}
}

// A memory is a Quarantine that fails as long as its error is set.
type memory struct {
	kept []entry
	err  error
}

type entry struct {
	t      sysvmsg.Type
	p      string
	reason error
}

func (m *memory) Put(_ context.Context, t sysvmsg.Type, p []byte, reason error) error {
	if m.err != nil {
		return m.err
	}
	m.kept = append(m.kept, entry{t, string(p), reason})
	return nil
}

// What cannot be put aside is held, and nothing else is taken meanwhile.
func TestFailingQuarantineLosesNothing(t *testing.T) {
	leaktest.Check(t)
	q := queue(t, 0)
	p := envelope.NewProducer(q, 0)
	must(t, p.TrySend(1, []byte("first")))
	must(t, q.TrySend(2, []byte("dirt")))
	must(t, p.TrySend(1, []byte("second")))
	aside := &memory{err: fs.ErrPermission}
	c := consumer(t, q, aside, nil)
	wantPayload(t, c, "first")
	for range 3 {
		if m, err := c.Receive(within(t), sysvmsg.Any()); !errors.Is(err, fs.ErrPermission) || errors.Is(err, envelope.ErrForeign) {
			t.Fatalf("Receive() = %+v, %v; want the error of the quarantine, and no other", m, err)
		}
		if err := c.Flush(t.Context()); !errors.Is(err, fs.ErrPermission) {
			t.Fatalf("Flush() = %v; want the error of the quarantine", err)
		}
		typ, held, reason := c.Held()
		if typ != 2 || string(held) != "dirt" || !errors.Is(reason, envelope.ErrForeign) {
			t.Fatalf("Held() = %d, %q, %v; want 2, %q, ErrForeign", typ, held, reason, "dirt")
		}
		wantMessages(t, q, 1)
	}
	wantStats(t, c, envelope.Stats{Received: 1})
	aside.err = nil
	wantPayload(t, c, "second")
	wantStats(t, c, envelope.Stats{Received: 2, Foreign: 1})
	if _, _, reason := c.Held(); reason != nil || len(aside.kept) != 1 || aside.kept[0].p != "dirt" {
		t.Errorf("Held() = %v, in quarantine: %+v; want nothing held, and the dirt once", reason, aside.kept)
	}
	must(t, c.Flush(t.Context()))
}

// A second queue that is full: TryReceive does not wait for it, Receive until ctx
// ends, and both go on when there is room.
func TestFullQuarantine(t *testing.T) {
	leaktest.Check(t)
	q, aside := queue(t, 0), queue(t, 10)
	must(t, aside.TrySend(9, []byte("full"+"full")))
	must(t, q.TrySend(2, []byte("dirt")))
	c := consumer(t, q, envelope.ToQueue{Queue: aside}, nil)
	if m, err := c.TryReceive(sysvmsg.Any()); !errors.Is(err, sysvmsg.ErrFull) {
		t.Fatalf("TryReceive() = %+v, %v; want ErrFull", m, err)
	}
	if m, err := c.Receive(ended(t), sysvmsg.Any()); !errors.Is(err, sysvmsg.ErrFull) {
		t.Fatalf("Receive() = %+v, %v; want ErrFull", m, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if m, err := c.Receive(ctx, sysvmsg.Any()); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, sysvmsg.ErrFull) {
		t.Fatalf("Receive() = %+v, %v; want context.DeadlineExceeded", m, err)
	}
	wantRaw(t, aside, 9, "fullfull")
	if m, err := c.TryReceive(sysvmsg.Any()); err != sysvmsg.ErrEmpty {
		t.Fatalf("TryReceive() = %+v, %v; want ErrEmpty", m, err)
	}
	wantRaw(t, aside, 2, "dirt")
}

// A message that the second queue can never have room for stays held, too.
func TestQuarantineTooSmall(t *testing.T) {
	q, aside := queue(t, 0), queue(t, 10)
	must(t, q.TrySend(2, []byte("eleven byte")))
	c := consumer(t, q, envelope.ToQueue{Queue: aside}, nil)
	for range 2 {
		if m, err := c.Receive(within(t), sysvmsg.Any()); !errors.Is(err, sysvmsg.ErrTooLarge) {
			t.Fatalf("Receive() = %+v, %v; want ErrTooLarge", m, err)
		}
	}
	must(t, aside.SetCapacity(11))
	must(t, c.Flush(t.Context()))
	wantRaw(t, aside, 2, "eleven byte")
}

func TestReject(t *testing.T) {
	leaktest.Check(t)
	q := queue(t, 0)
	p := envelope.NewProducer(q, 0)
	for _, s := range []string{"poison", "good", "more poison", "last"} {
		must(t, p.TrySend(3, []byte(s)))
	}
	aside := &memory{}
	c := consumer(t, q, aside, nil)
	if err := c.Reject(t.Context(), nil); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("Reject() before Receive = %v; want os.ErrInvalid", err)
	}
	wantPayload(t, c, "poison")
	must(t, c.Reject(t.Context(), envelope.ErrStale)) // a reason of the application's, whatever it matches
	if err := c.Reject(t.Context(), nil); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("second Reject() = %v; want os.ErrInvalid", err)
	}
	wantPayload(t, c, "good")
	wantPayload(t, c, "more poison")
	aside.err = fs.ErrPermission
	if err := c.Reject(t.Context(), nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Reject() = %v; want the error of the quarantine", err)
	}
	if m, err := c.TryReceive(sysvmsg.Any()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("TryReceive() = %+v, %v; want the error of the quarantine", m, err)
	}
	aside.err = nil
	wantPayload(t, c, "last")
	if len(aside.kept) != 2 || !strings.HasSuffix(aside.kept[0].p, "poison") || !strings.HasSuffix(aside.kept[1].p, "more poison") ||
		aside.kept[0].t != 3 || !errors.Is(aside.kept[0].reason, envelope.ErrRejected) || !errors.Is(aside.kept[0].reason, envelope.ErrStale) {
		t.Errorf("in quarantine: %+v; want both messages as they were sent, and why", aside.kept)
	}
	wantStats(t, c, envelope.Stats{Received: 4, Rejected: 2})
}

func TestConsumerGrows(t *testing.T) {
	q := queue(t, 0)
	p := envelope.NewProducer(q, 0)
	large := strings.Repeat("x", 5000)
	must(t, p.TrySend(1, []byte("small")))
	must(t, p.TrySend(1, []byte(large)))
	must(t, p.TrySend(1, []byte("small")))
	c := consumer(t, q, envelope.Drop{}, &envelope.Options{Buffer: 1})
	wantPayload(t, c, "small")
	wantPayload(t, c, large)
	wantPayload(t, c, "small")
}

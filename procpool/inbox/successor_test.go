//go:build linux

package inbox_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds/leaktest"
)

// Who waits on the inbox when it drains goes on to wait aside.
func TestDrainOfWhoWaits(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	first, second, s := b.receiver(t, 1), b.receiver(t, 2), b.sender(3)
	received := make(chan string, 1)
	go func() {
		m, err := first.Receive(t.Context())
		received <- fmt.Sprint(string(m.Payload), err)
	}()
	first.Drain() // now, or just before it waits
	if err := s.Send(t.Context(), inbox.Addr{Incarnation: 1}, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	passing, stop := context.WithCancel(t.Context())
	passed := make(chan struct{})
	go func() { // unless first has taken it itself
		defer close(passed)
		_, _ = second.Receive(passing)
	}()
	if got := <-received; got != "hello<nil>" {
		t.Errorf("%s", got)
	}
	stop()
	<-passed
}

// A successor takes the inbox over, and passes on what its predecessor is to have.
func TestSuccessor(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	first, second, s := b.receiver(t, 1), b.receiver(t, 2), b.sender(3)
	send := func(incarnation uint32, text string) {
		t.Helper()
		if err := s.Send(t.Context(), inbox.Addr{Incarnation: incarnation}, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(r *inbox.Receiver, want string) {
		t.Helper()
		m, err := r.Receive(t.Context())
		if string(m.Payload) != want || err != nil || m.From.Slot != 3 {
			t.Errorf("Receive = %q from %v, %v; want %q", m.Payload, m.From, err, want)
		}
	}
	send(0, "before")
	expect(first, "before")
	first.Drain()
	first.Drain()
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		expect(first, "for the first")
	}()
	send(0, "for anyone")
	expect(second, "for anyone")
	send(1, "for the first")
	send(3, "for the third")
	send(2, "for the second")
	expect(second, "for the second")
	<-waiting
	want := inbox.Stats{Messages: 2, Forwarded: 1, Held: 1}
	got := second.Stats()
	got.Chunks = want.Chunks
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Stats: %s", diff)
	}
}

// What is for a successor, and comes while its predecessor still receives, waits for
// it: a worker may ask for something before it is ready.
func TestForTheSuccessor(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	first, s := b.receiver(t, 1), b.sender(3)
	send := func(incarnation uint32, p []byte) {
		t.Helper()
		if err := s.Send(t.Context(), inbox.Addr{Incarnation: incarnation}, p); err != nil {
			t.Fatal(err)
		}
	}
	const most = 1<<20/(100_000+16) + 1
	for i := range 2 * most { // more than is held
		send(2, text(100_000))
		send(0, []byte{byte(i)})
		if m, err := first.Receive(t.Context()); err != nil || !bytes.Equal(m.Payload, []byte{byte(i)}) {
			t.Fatalf("%d bytes, %v", len(m.Payload), err)
		}
	}
	if got := first.Stats(); got.Held == 0 || got.Held > most || got.Held+int(got.Stale) != 2*most {
		t.Errorf("%+v, want at most %d held", got, most)
	}
	second := b.receiver(t, 2)
	first.Drain()
	if got := first.Stats(); got.Held != 0 || int(got.Stale) == 2*most {
		t.Errorf("%+v, want none held", got)
	}
	for range 2*most - int(first.Stats().Stale) {
		if m, err := second.Receive(t.Context()); err != nil || !bytes.Equal(m.Payload, text(100_000)) || m.From.Slot != 3 {
			t.Errorf("%d bytes from %v, %v", len(m.Payload), m.From, err)
		}
	}
}

// A predecessor that receives nothing keeps nobody from the inbox.
func TestSuccessorOfTheDead(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	second, s := b.receiver(t, 2), b.sender(3)
	for i := range 2000 {
		if err := s.Send(t.Context(), inbox.Addr{Incarnation: 1}, text(1000)); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), inbox.Addr{}, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		m, err := second.Receive(t.Context())
		if string(m.Payload) != fmt.Sprint(i) || err != nil {
			t.Fatalf("Receive = %q, %v; want %d", m.Payload, err, i)
		}
	}
	if s := second.Stats(); s.Forwarded+s.Stale != 2000 || s.Stale == 0 {
		t.Errorf("%+v, want 2000 forwarded or stale", s)
	}
}

//go:build linux

package inbox_test

import (
	"testing"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds/chunk"
	"github.com/plait-go/plait/uds/leaktest"
)

// chunked returns a message of one packet.
func chunked(message []byte, id uint32) []byte {
	h := chunk.Header{Total: uint32(len(message)), ID: id, Sender: uint64(id) + 1}
	return append(h.Append(nil), message...)
}

func TestNothingIsAllocated(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	r, s := b.receiver(t, 1), b.sender(1)
	p := text(1000)
	once := func() {
		if err := s.Send(t.Context(), inbox.Addr{}, p); err != nil {
			t.Fatal(err)
		}
		if err := s.TrySend(inbox.Addr{}, p); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := r.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := testing.AllocsPerRun(1000, once); n != 0 {
		t.Errorf("%v allocations for two messages", n)
	}
}

// No message makes a receiver panic, and what it takes is what a Sender has sent.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("pi\x01\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00hello"))
	f.Add([]byte("pi\x01\x00\x00\x00\x00\x03\x00\x00\x00\x00h\x00\x00\x00for another one"))
	f.Add([]byte("pi\x01\x00\x00\x00\x00\x03"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) > 60_000 {
			return
		}
		b := newBox(t)
		r, s := b.receiver(t, 1), b.sender(3)
		if _, err := b.write.Send(t.Context(), chunked(message, 1)); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), inbox.Addr{}, []byte("last")); err != nil {
			t.Fatal(err)
		}
		m, err := r.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Stats(); got.Malformed+got.Stale+uint64(got.Held) == 1 {
			if string(m.Payload) != "last" {
				t.Errorf("%q from %q", m.Payload, message)
			}
		} else if string(m.Payload) != string(message[16:]) {
			t.Errorf("%q from %q", m.Payload, message)
		}
	})
}

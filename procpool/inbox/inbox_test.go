//go:build linux

package inbox_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A box is an inbox with its second one.
type box struct {
	read, write           *uds.Conn
	asideRead, asideWrite *uds.Conn
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := new(box)
	var err error
	if b.read, b.write, err = inbox.Pair(); err != nil {
		t.Fatal(err)
	}
	if b.asideRead, b.asideWrite, err = inbox.Pair(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.read.Close(), b.write.Close(), b.asideRead.Close(), b.asideWrite.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// receiver returns a Receiver for an incarnation. It has connections of its own, as a
// process has.
func (b *box) receiver(t *testing.T, incarnation uint32) *inbox.Receiver {
	t.Helper()
	var own [4]*uds.Conn
	for i, c := range []*uds.Conn{b.read, b.asideRead, b.asideWrite, b.write} {
		f, err := c.File()
		if err == nil {
			own[i], err = uds.FromFile(f)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = own[i].Close() })
	}
	self := inbox.Addr{Slot: 0, Incarnation: incarnation}
	return inbox.NewReceiver(self, inbox.Ends{Main: own[0], AsideRead: own[1], AsideWrite: own[2], MainWrite: own[3]}, 0)
}

func (b *box) sender(slot uint32) *inbox.Sender {
	return inbox.NewSender(inbox.Addr{Slot: slot, Incarnation: 1}, []*uds.Conn{b.write}, 0)
}

// text returns n bytes that tell where they are.
func text(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return p
}

func TestMessagesOfAllSizes(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	r, s := b.receiver(t, 1), b.sender(9)
	sizes := []int{0, 1, 100, 4096, 65535, 65536, 200 << 10, 256 << 10, 1 << 20, 5<<20 + 3, 16 << 20}
	var sending sync.WaitGroup
	sending.Go(func() {
		for _, n := range sizes {
			if err := s.Send(t.Context(), inbox.Addr{}, text(n)); err != nil {
				t.Errorf("Send of %d bytes: %v", n, err)
			}
		}
	})
	for _, n := range sizes {
		m, err := r.Receive(t.Context())
		if err != nil || !bytes.Equal(m.Payload, text(n)) || m.From != (inbox.Addr{Slot: 9, Incarnation: 1}) {
			t.Fatalf("Receive = %d bytes from %v, %v; want %d from 9.1", len(m.Payload), m.From, err, n)
		}
	}
	sending.Wait()
	if err := s.Send(t.Context(), inbox.Addr{}, text(16<<20+1)); !errors.Is(err, inbox.ErrTooLong) {
		t.Errorf("Send of more than 16 MiB: %v", err)
	}
	if got, want := r.Stats().Messages, uint64(len(sizes)); got != want {
		t.Errorf("%d messages, want %d", got, want)
	}
}

// Many send at a time, messages of one packet and of several: those of each arrive in
// order, and whole.
func TestOrderOfEachSender(t *testing.T) {
	leaktest.Check(t)
	const senders, rounds = 8, 200
	b := newBox(t)
	r := b.receiver(t, 1)
	var sending sync.WaitGroup
	for i := range uint32(senders) {
		sending.Go(func() {
			s := b.sender(i)
			for k := range uint32(rounds) {
				p := binary.BigEndian.AppendUint32(nil, k)
				if k%50 == 7 {
					p = append(p, text(300<<10)...)
				}
				if err := s.Send(t.Context(), inbox.Addr{}, p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var next [senders]uint32
	for range senders * rounds {
		m, err := r.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if k := binary.BigEndian.Uint32(m.Payload); k != next[m.From.Slot] {
			t.Fatalf("message %d of sender %d, want %d", k, m.From.Slot, next[m.From.Slot])
		}
		next[m.From.Slot]++
	}
	sending.Wait()
}

func TestFullInbox(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	r, s := b.receiver(t, 1), b.sender(1)
	sent := 0
	for ; ; sent++ {
		if err := s.TrySend(inbox.Addr{}, text(1000)); errors.Is(err, uds.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if err := s.Send(ctx, inbox.Addr{}, text(1)); !errors.Is(err, cause) {
		t.Errorf("Send: %v, want %v", err, cause)
	}
	for range sent {
		if _, err := r.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Receive(ctx); !errors.Is(err, cause) {
		t.Errorf("Receive: %v, want %v", err, cause)
	}
	if err := s.TrySend(inbox.Addr{}, text(1<<20)); !errors.Is(err, inbox.ErrTooLong) {
		t.Errorf("TrySend of 1 MiB: %v, want %v", err, inbox.ErrTooLong)
	}
	if err := s.TrySend(inbox.Addr{Slot: 1}, nil); !errors.Is(err, inbox.ErrNoInbox) {
		t.Errorf("TrySend to nobody: %v, want %v", err, inbox.ErrNoInbox)
	}
}

// What no Sender has made is counted, and keeps nobody from the inbox.
func TestForeignPackets(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	r, s := b.receiver(t, 1), b.sender(3)
	good := []byte("pi\x01\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00hello")
	foreign := [][]byte{nil, []byte("x"), make([]byte, 24), []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), make([]byte, 300<<10)}
	for i := range 16 {
		damaged := bytes.Clone(good)
		damaged[i] ^= 0x40
		if i >= 4 && i < 12 {
			continue // who it is from
		}
		foreign = append(foreign, chunked(damaged, uint32(i)))
	}
	for i := range good[:16] {
		foreign = append(foreign, chunked(good[:i], uint32(100+i)))
	}
	for i, p := range foreign {
		if _, err := b.write.Send(t.Context(), p); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if err := s.Send(t.Context(), inbox.Addr{}, []byte("good")); err != nil {
			t.Fatal(err)
		}
		m, err := r.Receive(t.Context())
		if string(m.Payload) != "good" || err != nil {
			t.Fatalf("behind packet %d: %q, %v", i, m.Payload, err)
		}
	}
	got := r.Stats()
	if n := got.Malformed + got.Stale + got.Chunks.Malformed + got.Chunks.Truncated + got.Chunks.Orphans + uint64(got.Held); n != uint64(len(foreign)) {
		t.Errorf("%+v: %d dropped, want %d", got, n, len(foreign))
	}
}

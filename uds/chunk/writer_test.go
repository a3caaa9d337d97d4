//go:build linux

package chunk_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/uds/chunk"
)

// How many packets there are, and how large, depends on the connection.
func TestPackets(t *testing.T) {
	const kib = 1 << 10
	small := &chunk.Options{Chunk: 100, Single: 300, Message: 1000}
	for _, tt := range []struct {
		name    string
		f       fake
		o       *chunk.Options
		length  int
		want    []int // lengths of the packets, without headers
		tooLong int   // packets that were tried in vain
	}{
		{"empty", fake{}, nil, 0, []int{0}, 0},
		{"a chunk", fake{}, small, 100, []int{100}, 0},
		{"single", fake{}, small, 300, []int{300}, 0},
		{"more than single", fake{}, small, 301, []int{100, 100, 100, 1}, 0},
		{"whole chunks", fake{}, small, 400, []int{100, 100, 100, 100}, 0},
		{"single by default", fake{}, nil, 1 << 20, []int{1 << 20}, 0},
		{"single is no less than a chunk", fake{}, &chunk.Options{Chunk: 100, Single: 10}, 100, []int{100}, 0},
		{"the connection allows less", fake{most: 200 * kib}, nil, 200*kib - 23, []int{65512, 65512, 65512, 200*kib - 23 - 3*65512}, 0},
		{"the connection allows just that", fake{most: 200 * kib}, nil, 200*kib - 24, []int{200*kib - 24}, 0},
		{"and less than a chunk", fake{most: 1024}, &chunk.Options{Chunk: 1500}, 2500, []int{1000, 1000, 500}, 0},
		{"and less than one that would be a chunk", fake{most: 1024}, nil, 2500, []int{1000, 1000, 500}, 1},
		{"no memory for a single one", fake{most: 70000, says: 1 << 20}, nil, 100_000, []int{65512, 34488}, 1},
		{"no memory for a chunk", fake{most: 30000, says: 1 << 20}, nil, 100_000, []int{16378, 16378, 16378, 16378, 16378, 16378, 1732}, 3},
		{"nobody knows", fake{deaf: io.ErrClosedPipe, most: 70000}, nil, 100_000, []int{65512, 34488}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := chunk.NewWriter(&tt.f, tt.o)
			msg := message(1, tt.length)
			if err := w.Send(t.Context(), msg); err != nil {
				t.Fatalf("Send(%d bytes) = %v", tt.length, err)
			}
			var got []int
			var sent []byte
			for _, p := range tt.f.queue {
				h, part, err := chunk.Parse(p)
				if err != nil || int(h.Offset) != len(sent) || int(h.Total) != tt.length || h.ID != 1 {
					t.Errorf("a packet with %+v, %v at %d of %d", h, err, len(sent), tt.length)
				}
				got, sent = append(got, len(part)), append(sent, part...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || tt.f.tooLong != tt.tooLong {
				t.Errorf("%d too large; want %d; -want +got:\n%s", tt.f.tooLong, tt.tooLong, diff)
			}
			if !bytes.Equal(sent, msg) {
				t.Errorf("what was sent is not the message")
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	f := &fake{}
	w := chunk.NewWriter(f, &chunk.Options{Message: 1000})
	for _, err := range []error{w.Send(t.Context(), make([]byte, 1001)), w.TrySend(make([]byte, 1001))} {
		if !errors.Is(err, chunk.ErrTooLong) || len(f.queue) != 0 {
			t.Errorf("Send(1001 bytes) = %v, %d packets; want ErrTooLong, 0", err, len(f.queue))
		}
	}
	must(t, w.Send(t.Context(), make([]byte, 1000)))
	w = chunk.NewWriter(f, nil)
	if err := w.Send(t.Context(), make([]byte, chunk.DefaultMessage+1)); !errors.Is(err, chunk.ErrTooLong) {
		t.Errorf("Send(%d bytes) = %v; want ErrTooLong", chunk.DefaultMessage+1, err)
	}
}

// A connection that takes next to nothing ends the message.
func TestNothingFits(t *testing.T) {
	f := &fake{most: 400, says: 1 << 20}
	w := chunk.NewWriter(f, nil)
	if err := w.Send(t.Context(), make([]byte, 100_000)); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("Send() = %v; want EMSGSIZE", err)
	}
	must(t, w.Send(t.Context(), make([]byte, 376)))
}

// A Send that is canceled leaves a beginning, and says how much. The next message is
// another one.
func TestCanceledSend(t *testing.T) {
	f := &fake{room: 2}
	w := chunk.NewWriter(f, &chunk.Options{Chunk: 100, Single: 100})
	ctx, cause := canceled(t)
	err := w.Send(ctx, message(1, 300))
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "200 of 300 bytes sent") {
		t.Errorf("Send() = %v; want %v and 200 of 300 bytes", err, cause)
	}
	if err := w.Send(ctx, message(2, 300)); err != cause {
		t.Errorf("Send() = %v on a full connection; want %v alone", err, cause)
	}
	r := chunk.NewTryReader(f, nil)
	for range 2 {
		_, done, err := r.TryReceive()
		if done || err != nil {
			t.Errorf("TryReceive() = %v, %v for a part", done, err)
		}
	}
	must(t, w.Send(ctx, message(3, 100)))
	if got, done, err := r.TryReceive(); !bytes.Equal(got, message(3, 100)) || !done || err != nil {
		t.Errorf("TryReceive() = %d bytes, %v, %v; want the message after that", len(got), done, err)
	}
	want := chunk.Stats{Packets: 3, Messages: 1, Chunks: 1, Broken: 1, Lost: 2}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Errorf("Stats: -want +got:\n%s", diff)
	}
}

// TrySend takes a message as soon as a part of it is sent, and no other one until all
// of it is.
func TestTrySend(t *testing.T) {
	f := &fake{room: 2}
	w := chunk.NewTryWriter(f, &chunk.Options{Chunk: 100, Single: 100})
	first, second := message(1, 450), message(2, 100)
	msg := bytes.Clone(first)
	if err := w.TrySend(msg); err != nil || w.Pending() != 250 {
		t.Fatalf("TrySend() = %v, %d bytes pending; want 250", err, w.Pending())
	}
	clear(msg) // the caller's again
	if err := w.TrySend(second); err != errFull || w.Pending() != 250 {
		t.Errorf("TrySend() = %v, %d bytes pending; want %v, 250", err, w.Pending(), errFull)
	}
	r := chunk.NewTryReader(f, nil)
	receive := func(want []byte) {
		t.Helper()
		got, done, err := r.TryReceive()
		if done != (want != nil) || err != nil || !bytes.Equal(got, want) {
			t.Fatalf("TryReceive() = %d bytes, %v, %v; want %d", len(got), done, err, len(want))
		}
	}
	receive(nil)
	if err := w.TryFlush(); err != errFull || w.Pending() != 150 {
		t.Errorf("TryFlush() = %v, %d bytes pending; want %v, 150", err, w.Pending(), errFull)
	}
	receive(nil)
	receive(nil)
	if err := w.TryFlush(); err != nil || w.Pending() != 0 {
		t.Errorf("TryFlush() = %v, %d bytes pending; want 0", err, w.Pending())
	}
	if err := w.TrySend(second); err != errFull || w.Pending() != 0 {
		t.Errorf("TrySend() = %v, %d bytes pending; want %v, 0: nothing was sent", err, w.Pending(), errFull)
	}
	receive(nil)
	receive(first)
	must(t, w.TrySend(second))
	receive(second)
}

// Send completes what TrySend has begun, and loses nothing of it if it cannot.
func TestSendAfterTrySend(t *testing.T) {
	f := &fake{room: 1}
	w := chunk.NewWriter(f, &chunk.Options{Chunk: 100, Single: 100})
	must(t, w.TrySend(message(1, 200)))
	ctx, cause := canceled(t)
	for range 2 {
		if err := w.Send(ctx, message(2, 100)); err != cause || w.Pending() != 100 {
			t.Errorf("Send() = %v, %d bytes pending; want %v, 100", err, w.Pending(), cause)
		}
	}
	f.room = 0
	must(t, w.Send(ctx, message(2, 100)))
	r := chunk.NewReader(f, nil)
	for i := 1; i <= 2; i++ {
		got, err := r.Receive(t.Context())
		if want := message(i, 300-100*i); !bytes.Equal(got, want) || err != nil {
			t.Errorf("Receive() = %d bytes, %v; want %d", len(got), err, len(want))
		}
	}
}

// Each message has another id, also after one that nothing came of.
func TestIDs(t *testing.T) {
	f := &fake{room: 1}
	w := chunk.NewWriter(f, &chunk.Options{Chunk: 100, Single: 100})
	ids := make(map[uint32]bool)
	ctx, _ := canceled(t)
	for i := range 10 {
		if err := w.Send(ctx, message(i, 50*i)); (err == nil) != (i <= 2) {
			t.Errorf("Send(%d bytes) = %v", 50*i, err)
		}
		h, _, err := chunk.Parse(f.queue[0])
		must(t, err)
		ids[h.ID] = true
		f.queue = nil
	}
	if len(ids) != 10 {
		t.Errorf("%d ids for 10 messages", len(ids))
	}
}

// Two Writers have two names.
func TestSenders(t *testing.T) {
	f := &fake{}
	senders := make(map[uint64]bool)
	for range 100 {
		must(t, chunk.NewWriter(f, nil).Send(t.Context(), nil))
	}
	for _, p := range f.queue {
		h, _, err := chunk.Parse(p)
		must(t, err)
		senders[h.Sender] = true
	}
	if len(senders) != 100 {
		t.Errorf("%d names for 100 Writers", len(senders))
	}
}

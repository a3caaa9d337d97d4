//go:build linux

package chunk_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/uds/chunk"
)

// A packet that is longer than the buffer, and one that is malformed, are told, and
// what follows is received.
func TestReaderGoesOn(t *testing.T) {
	f := &fake{ended: io.EOF}
	msg := message(1, 100)
	long := cut(2, 1, message(2, 61), 100)
	f.queue = append(f.queue, cut(1, 1, msg, 60)[0], long[0], []byte("noise"), cut(1, 1, msg, 60)[1])
	r := chunk.NewReader(f, &chunk.ReaderOptions{Packet: 60 + chunk.HeaderSize})
	if got, err := r.Receive(t.Context()); got != nil || !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("Receive() = %d bytes, %v; want ErrShortBuffer", len(got), err)
	}
	if got, err := r.Receive(t.Context()); got != nil || !errors.Is(err, chunk.ErrMalformed) {
		t.Errorf("Receive() = %d bytes, %v; want ErrMalformed", len(got), err)
	}
	if got, err := r.Receive(t.Context()); !bytes.Equal(got, msg) || err != nil {
		t.Errorf("Receive() = %d bytes, %v; want 100", len(got), err)
	}
	for range 2 {
		if got, err := r.Receive(t.Context()); got != nil || err != io.EOF {
			t.Errorf("Receive() = %d bytes, %v; want EOF", len(got), err)
		}
	}
	want := chunk.Stats{Packets: 4, Messages: 1, Chunks: 2, Truncated: 1, Malformed: 1}
	if diff := cmp.Diff(want, r.Stats()); diff != "" {
		t.Errorf("Stats: -want +got:\n%s", diff)
	}
}

// The default buffer holds what a Writer makes by default.
func TestDefaultPacket(t *testing.T) {
	f := &fake{}
	want := message(1, chunk.DefaultSingle)
	must(t, chunk.NewWriter(f, nil).Send(t.Context(), want))
	if diff := cmp.Diff([]int{chunk.DefaultSingle + chunk.HeaderSize}, f.sizes()); diff != "" {
		t.Fatalf("packets: -want +got:\n%s", diff)
	}
	if got, err := chunk.NewReader(f, nil).Receive(t.Context()); !bytes.Equal(got, want) || err != nil {
		t.Errorf("Receive() = %d bytes, %v; want %d", len(got), err, len(want))
	}
}

// A Receive to which no end of chunks comes ends with its context all the same, and
// the next one goes on.
func TestReceiveCanceled(t *testing.T) {
	f := &fake{queue: cut(1, 1, message(1, 300), 100)}
	r := chunk.NewReader(f, nil)
	ctx, cause := canceled(t)
	for range 2 {
		if got, err := r.Receive(ctx); got != nil || !errors.Is(err, cause) {
			t.Errorf("Receive() = %d bytes, %v; want %v", len(got), err, cause)
		}
	}
	if len(f.queue) != 1 {
		t.Errorf("%d packets are left; want 1", len(f.queue))
	}
	if got, err := r.Receive(ctx); !bytes.Equal(got, message(1, 300)) || err != nil {
		t.Errorf("Receive() = %d bytes, %v; want the message", len(got), err)
	}
}

// A Reader to which nothing comes forgets, too.
func TestReaderExpire(t *testing.T) {
	f := &fake{queue: cut(1, 1, message(1, 300), 100)[:1]}
	r := chunk.NewTryReader(f, &chunk.ReaderOptions{Limits: chunk.Limits{Age: time.Hour}})
	if got, done, err := r.TryReceive(); got != nil || done || err != nil {
		t.Errorf("TryReceive() = %d bytes, %v, %v; want nothing", len(got), done, err)
	}
	r.Expire(time.Now().Add(time.Hour - time.Minute))
	if n := r.Stats().Incomplete; n != 1 {
		t.Errorf("%d incomplete messages; want 1", n)
	}
	r.Expire(time.Now().Add(time.Hour + time.Minute))
	if s := r.Stats(); s.Incomplete != 0 || s.Expired != 1 {
		t.Errorf("%d incomplete messages, %d expired; want 0, 1", s.Incomplete, s.Expired)
	}
}

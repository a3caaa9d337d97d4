//go:build linux

package batch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/batch"
	"github.com/plait-go/plait/uds/leaktest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// patient returns a context for calls that must end by themselves.
func patient(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// length is that of the record i.
func length(i int) int { return i * i % 3001 }

// All records arrive in order on every kind of socket, and then the end.
func TestConn(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.socket.String(), func(t *testing.T) {
			const records = 20_000
			a, b := pair(t, k.socket)
			ctx := patient(t)
			var wg sync.WaitGroup
			defer wg.Wait()
			defer func() { _ = b.Close() }() // ends a writer that is left alone
			wg.Go(func() {
				w := batch.NewWriter(a, k.kind, nil)
				for i := range records {
					if err := w.Add(ctx, record(i, length(i))); err != nil {
						t.Errorf("Add(record %d) = %v", i, err)
						return
					}
					if i%1000 == 7 {
						if err := w.Flush(ctx); err != nil {
							t.Errorf("Flush() = %v", err)
						}
					}
				}
				if err := errors.Join(w.Flush(ctx), a.Close()); err != nil {
					t.Errorf("the end: %v", err)
				}
			})
			r := batch.NewReader(b, k.kind, nil)
			for i := range records {
				p, err := r.Next(ctx)
				if err != nil || !bytes.Equal(p, record(i, length(i))) {
					t.Fatalf("Next() = %d bytes, %v; want record %d of %d bytes", len(p), err, i, length(i))
				}
			}
			if k.socket != uds.Datagram {
				if p, err := r.Next(ctx); err != io.EOF {
					t.Errorf("Next() = %d bytes, %v; want EOF", len(p), err)
				}
			}
		})
	}
}

// An event loop's ends never wait and lose nothing.
func TestSocket(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.socket.String(), func(t *testing.T) {
			leaktest.Check(t)
			const records = 5000
			a, b, err := uds.SocketPair(k.socket)
			must(t, err)
			defer func() { must(t, a.Close()) }()
			defer func() { must(t, b.Close()) }()
			w := batch.NewTryWriter(a, k.kind, nil)
			r := batch.NewTryReader(b, k.kind, nil)
			sent, received, full := 0, 0, 0
			for received < records {
				for sent < records {
					if err := w.TryAdd(record(sent, length(sent))); err != nil {
						if !errors.Is(err, uds.ErrFull) {
							t.Fatalf("TryAdd(record %d) = %v", sent, err)
						}
						full++
						break
					}
					sent++
				}
				if err := w.TryFlush(); err != nil && !errors.Is(err, uds.ErrFull) {
					t.Fatalf("TryFlush() = %v", err)
				}
				for {
					p, err := r.TryNext()
					if errors.Is(err, uds.ErrEmpty) {
						break
					}
					if err != nil || !bytes.Equal(p, record(received, length(received))) {
						t.Fatalf("TryNext() = %d bytes, %v; want record %d", len(p), err, received)
					}
					received++
				}
			}
			if full == 0 || w.Buffered() != 0 || r.Buffered() != 0 {
				t.Errorf("%d times full, %d bytes unsent, %d unread; want some, 0, 0", full, w.Buffered(), r.Buffered())
			}
		})
	}
}

// A Flush that is canceled where nobody reads leaves what it did not send, within a
// record, too, and the next one goes on from there.
func TestCanceledFlush(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.socket.String(), func(t *testing.T) {
			a, b := pair(t, k.socket)
			w := batch.NewWriter(a, k.kind, nil)
			r := batch.NewReader(b, k.kind, nil)
			sent, received := 0, 0
			take := func(p []byte, err error) {
				if err != nil || !bytes.Equal(p, record(received, length(received))) {
					t.Fatalf("Next() = %d bytes, %v; want record %d", len(p), err, received)
				}
				received++
			}
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				for w.Add(ctx, record(sent, length(sent))) == nil {
					sent++
				}
				if err := w.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("Flush() = %v; want DeadlineExceeded", err)
				}
				cancel()
				for range 50 {
					p, err := r.TryNext()
					if errors.Is(err, uds.ErrEmpty) { // the time was over before anything was sent
						break
					}
					take(p, err)
				}
			}
			ctx := patient(t)
			var wg sync.WaitGroup
			defer wg.Wait()
			defer func() { _ = b.Close() }() // ends a writer that is left alone
			wg.Go(func() {
				if err := w.Flush(ctx); err != nil {
					t.Errorf("Flush() = %v", err)
				}
			})
			for received < sent {
				take(r.Next(ctx))
			}
		})
	}
}

// A small send buffer makes small batches, and one that shrinks later, too.
func TestSmallBuffer(t *testing.T) {
	a, b := pair(t, uds.SeqPacket)
	_, err := a.SetBuffers(16<<10, 0)
	must(t, err)
	limit, err := a.MaxMessage()
	must(t, err)
	w := batch.NewWriter(a, batch.Packets, nil)
	if got := w.Max(); got != limit-batch.HeaderSize {
		t.Errorf("Max() = %d; want %d", got, limit-batch.HeaderSize)
	}
	for i := range 200 {
		must(t, w.TryAdd(record(i, 100)))
	}
	_, err = a.SetBuffers(4<<10, 0)
	must(t, err)
	r := batch.NewReader(b, batch.Packets, nil)
	received := 0
	for w.TryFlush() != nil || received < 200 {
		p, err := r.TryNext()
		if err != nil || !bytes.Equal(p, record(received, 100)) {
			t.Fatalf("TryNext() = %d bytes, %v; want record %d", len(p), err, received)
		}
		received++
	}
}

// A peer that goes ends the Writer with the connection's error.
func TestPeerCloses(t *testing.T) {
	for _, k := range kinds {
		a, b := pair(t, k.socket)
		w := batch.NewWriter(a, k.kind, nil)
		must(t, w.Add(t.Context(), []byte("record")))
		must(t, b.Close())
		for range 2 {
			if err := w.Flush(t.Context()); !errors.Is(err, uds.ErrPeerClosed) || w.Buffered() != 10 {
				t.Errorf("%v: Flush() = %v, %d bytes pending; want ErrPeerClosed, 10", k.socket, err, w.Buffered())
			}
		}
	}
}

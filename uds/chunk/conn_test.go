//go:build linux

package chunk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
	"github.com/plait-go/plait/uds/leaktest"
)

// lengths are those of messages that go through a real connection.
func lengths() []int {
	return []int{0, 1, 1000, chunk.DefaultChunk, chunk.DefaultChunk + 1, 200_000, 212_936, 212_937, 400_000, 1 << 20, 3_000_000, 0, 5}
}

// All messages arrive in order, with the default buffer and with a very small one.
func TestConn(t *testing.T) {
	for _, kind := range kinds() {
		for _, buffer := range []int{0, 4 << 10} {
			t.Run(kind.String(), func(t *testing.T) {
				a, b := pair(t, kind)
				if buffer > 0 {
					_, err := a.SetBuffers(buffer, 0)
					must(t, err)
				}
				ctx := patient(t)
				var wg sync.WaitGroup
				defer wg.Wait()
				defer func() { _ = b.Close() }() // ends a writer that is left alone
				wg.Go(func() {
					w := chunk.NewWriter(a, nil)
					for i, n := range lengths() {
						if err := w.Send(ctx, message(i, n)); err != nil {
							t.Errorf("Send(%d bytes) = %v", n, err)
							return
						}
					}
					if err := a.Close(); err != nil {
						t.Errorf("Close() = %v", err)
					}
				})
				r := chunk.NewReader(b, nil)
				for i, n := range lengths() {
					if got, err := r.Receive(ctx); !bytes.Equal(got, message(i, n)) || err != nil {
						t.Fatalf("Receive() = %d bytes, %v; want message %d of %d", len(got), err, i, n)
					}
				}
				if kind == uds.SeqPacket {
					if got, err := r.Receive(ctx); err != io.EOF {
						t.Errorf("Receive() = %d bytes, %v; want EOF", len(got), err)
					}
				}
			})
		}
	}
}

// One packet is all that a message takes which the granted buffer has room for.
func TestGrantedBuffer(t *testing.T) {
	a, b := pair(t, uds.SeqPacket)
	for _, request := range []int{20_000, 100_000, 4 << 20} {
		_, err := a.SetBuffers(request, 0)
		must(t, err)
		limit, err := a.MaxMessage()
		must(t, err)
		fits := min(limit-chunk.HeaderSize, chunk.DefaultSingle)
		for _, n := range []int{fits, fits + 1} {
			w, r := chunk.NewTryWriter(a, nil), chunk.NewTryReader(b, nil)
			must(t, w.TrySend(message(n, n)))
			for r.Stats().Messages == 0 {
				_, _, err := r.TryReceive()
				must(t, err)
				if err := w.TryFlush(); err != nil && !errors.Is(err, uds.ErrFull) {
					t.Fatal(err)
				}
			}
			// The kernel may be out of memory for a large one; then there are chunks.
			if s := r.Stats(); (s.Chunks == 1) != (n == fits) && limit < 1<<20 {
				t.Errorf("largest packet %d: %d packets for %d bytes", limit, s.Chunks, n)
			}
		}
	}
}

// An event loop's ends never wait and lose nothing.
func TestSocket(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			a, b, err := uds.SocketPair(kind)
			must(t, err)
			defer func() { must(t, a.Close()) }()
			defer func() { must(t, b.Close()) }()
			w, r := chunk.NewTryWriter(a, nil), chunk.NewTryReader(b, nil)
			sent, received, full := 0, 0, 0
			all := lengths()
			for received < len(all) {
				for sent < len(all) {
					if err := w.TrySend(message(sent, all[sent])); err != nil {
						if !errors.Is(err, uds.ErrFull) {
							t.Fatalf("TrySend(%d bytes) = %v", all[sent], err)
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
					got, done, err := r.TryReceive()
					if errors.Is(err, uds.ErrEmpty) {
						break
					}
					if err != nil || done && !bytes.Equal(got, message(received, all[received])) {
						t.Fatalf("TryReceive() = %d bytes, %v, %v; want message %d of %d", len(got), done, err, received, all[received])
					}
					if done {
						received++
					}
				}
			}
			if s := r.Stats(); full == 0 || w.Pending() != 0 || s.Incomplete != 0 || s.Packets != s.Chunks {
				t.Errorf("%d times full, %d bytes unsent, %+v", full, w.Pending(), s)
			}
		})
	}
}

// Several Writers share one inbox; some of their messages are canceled. What is
// delivered is what was sent, exactly, and the rest is counted.
func TestInbox(t *testing.T) {
	const writers = 4
	a, b := pair(t, uds.Datagram)
	ctx := patient(t)
	var sent [writers]int
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { sent[i] = sendSome(ctx, t, a, i) })
	}
	r := chunk.NewReader(b, nil)
	var received [writers]int
	for ended := 0; ended < writers; {
		msg, err := r.Receive(ctx)
		if err != nil {
			_ = b.Close() // ends the writers
			t.Errorf("Receive() = %v", err)
			break
		}
		i := int(msg[0])
		if i >= writers || !bytes.Equal(msg, message(i, len(msg))) {
			t.Errorf("a message of %d bytes that nobody sent", len(msg))
			continue
		}
		if len(msg) == 1 {
			ended++
			continue
		}
		received[i]++
	}
	wg.Wait()
	s := r.Stats()
	if received != sent || s.Incomplete != 0 || unaccounted(s) != 0 || s.Orphans+s.Evicted+s.Expired+s.Refused != 0 {
		t.Errorf("%d messages delivered, %d were sent; %+v", received, sent, s)
	}
}

// sendSome sends messages, of which some are canceled, and one of a byte at the end.
// It returns how many longer ones Send has sent.
func sendSome(ctx context.Context, tb testing.TB, to chunk.Sender, i int) (sent int) {
	tb.Helper()
	w := chunk.NewWriter(to, &chunk.Options{Chunk: 5000, Single: 5000})
	for k := range 60 {
		short, cancel := ctx, context.CancelFunc(func() {})
		if k%3 == 0 {
			short, cancel = context.WithTimeout(ctx, 100*time.Microsecond)
		}
		err := w.Send(short, message(i, 1000*k+2))
		cancel()
		if err == nil {
			sent++
		} else if !errors.Is(err, context.DeadlineExceeded) {
			tb.Errorf("Send() = %v", err)
		}
	}
	if err := w.Send(ctx, message(i, 1)); err != nil {
		tb.Errorf("Send() = %v", err)
	}
	return sent
}

//go:build linux

package uds_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// noise returns bytes that tell where they stand.
func noise(size int) []byte {
	p := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(p) // never fails
	return p
}

// A block of any size goes through whole, however slowly it is read.
func TestStreamBlock(t *testing.T) {
	for what, send := range map[string]func(ctx context.Context, c *uds.Conn, p []byte) (int, error){
		"Send":  func(ctx context.Context, c *uds.Conn, p []byte) (int, error) { return c.Send(ctx, p) },
		"Write": func(_ context.Context, c *uds.Conn, p []byte) (int, error) { return c.Write(p) },
		"Sendv": func(ctx context.Context, c *uds.Conn, p []byte) (int, error) {
			var bufs [][]byte
			for part := range bytes.SplitSeq(p, []byte{7}) {
				bufs = append(bufs, part, []byte{7})
			}
			return c.Sendv(ctx, bufs[:len(bufs)-1]...)
		},
	} {
		leaktest.Check(t)
		a, b := pair(t, uds.Stream)
		want := noise(3 << 20)
		sent := make(chan error, 1)
		go func() {
			n, err := send(patient(t), a, want)
			if err == nil && n != len(want) {
				err = io.ErrShortWrite
			}
			sent <- errors.Join(err, a.CloseWrite())
		}()
		if got := readSlowly(t, b); !bytes.Equal(got, want) {
			t.Errorf("%s: received %d other bytes than the %d sent", what, len(got), len(want))
		}
		if err := result(t, sent); err != nil {
			t.Errorf("%s(%d bytes): %v", what, len(want), err)
		}
	}
}

// readSlowly reads to the end, in parts of all sizes.
func readSlowly(tb testing.TB, c *uds.Conn) (got []byte) {
	tb.Helper()
	p := make([]byte, 50_000)
	for size := 1; ; size = size*3%len(p) + 1 {
		n, err := c.Receive(patient(tb), p[:size])
		got = append(got, p[:n]...)
		if err == io.EOF {
			return got
		}
		must(tb, err)
	}
}

// A Send that is ended tells how much was sent, and whoever goes on from there sends
// the stream.
func TestPartialSend(t *testing.T) {
	for what, send := range map[string]func(tb testing.TB, c *uds.Conn, p []byte) (int, error){
		"context": func(tb testing.TB, c *uds.Conn, p []byte) (int, error) {
			tb.Helper()
			ctx, cancel := context.WithTimeout(tb.Context(), time.Millisecond)
			defer cancel()
			return c.Send(ctx, p)
		},
		"parts": func(tb testing.TB, c *uds.Conn, p []byte) (int, error) {
			tb.Helper()
			ctx, cancel := context.WithTimeout(tb.Context(), time.Millisecond)
			defer cancel()
			half := len(p) / 2
			return c.Sendv(ctx, p[:half/2], nil, p[half/2:half], p[half:])
		},
		"deadline": func(tb testing.TB, c *uds.Conn, p []byte) (int, error) {
			tb.Helper()
			must(tb, c.SetWriteDeadline(time.Now().Add(time.Millisecond)))
			return c.Write(p)
		},
		"try":       func(_ testing.TB, c *uds.Conn, p []byte) (int, error) { return c.TrySend(p) },
		"try parts": func(_ testing.TB, c *uds.Conn, p []byte) (int, error) { return c.TrySendv(nil, p) },
	} {
		leaktest.Check(t)
		a, b := pair(t, uds.Stream)
		want := noise(2 << 20)
		var got []byte
		p := make([]byte, 100_000)
		ended := 0
		for sent := 0; sent < len(want); {
			n, err := send(t, a, want[sent:])
			sent += n
			switch {
			case err == nil && sent == len(want):
			case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), err == uds.ErrFull:
				ended++
			default:
				t.Fatalf("%s: %d, %v; want all or a reason", what, n, err)
			}
			m, err := b.TryReceive(p)
			if err != uds.ErrEmpty { // it may have ended before it began
				must(t, err)
			}
			got = append(got, p[:m]...)
		}
		must(t, a.Close())
		got = append(got, readSlowly(t, b)...)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: received %d other bytes than the %d sent", what, len(got), len(want))
		}
		if ended < 3 {
			t.Errorf("%s: ended %d times before all was sent, want many", what, ended)
		}
	}
}

// The bytes of two calls do not mix, whoever waits.
func TestStreamSendersDoNotMix(t *testing.T) {
	const senders, messages, size = 4, 20, 100_000
	leaktest.Check(t)
	a, b := pair(t, uds.Stream)
	var wg sync.WaitGroup
	for s := range senders {
		p := bytes.Repeat([]byte{byte(s)}, size)
		wg.Go(func() {
			for i := range messages {
				var n int
				var err error
				switch i % 3 {
				case 0:
					n, err = a.Send(patient(t), p)
				case 1:
					n, err = a.Sendv(patient(t), p[:size/2], p[size/2:])
				default:
					n, err = a.Write(p)
				}
				if n != size || err != nil {
					t.Errorf("send = %d, %v; want %d", n, err, size)
				}
			}
		})
	}
	counts := make([]int, senders)
	p := make([]byte, size)
	for range senders * messages {
		if n, err := io.ReadFull(b, p); n != size || err != nil {
			t.Fatalf("ReadFull = %d, %v", n, err)
		}
		if !bytes.Equal(p, bytes.Repeat(p[:1], size)) {
			t.Fatal("the bytes of two calls are mixed")
		}
		counts[p[0]]++
	}
	wg.Wait()
	for s, n := range counts {
		if n != messages {
			t.Errorf("%d messages of sender %d, want %d", n, s, messages)
		}
	}
}

// While a Send waits there is no room for a TrySend, even when the queue has some.
func TestTrySendBesideSend(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.Stream)
	want := noise(1 << 20)
	call := waiting(t, func() error { return second(a.Send(patient(t), want)) })
	p := make([]byte, 10_000)
	got := 0
	for ; got < 30_000; got += 10_000 {
		if n, err := io.ReadFull(b, p); !bytes.Equal(p, want[got:got+n]) || err != nil {
			t.Fatalf("ReadFull = %d, %v, or other bytes", n, err)
		}
		for what, try := range map[string]func() (int, error){
			"TrySend":    func() (int, error) { return a.TrySend([]byte("x")) },
			"TrySendv":   func() (int, error) { return a.TrySendv([]byte("x")) },
			"TrySendFDs": func() (int, error) { return a.TrySendFDs([]byte("x"), 0) },
		} {
			if n, err := try(); n != 0 || err != uds.ErrFull {
				t.Errorf("%s beside a Send = %d, %v; want ErrFull", what, n, err)
			}
		}
	}
	rest := make([]byte, len(want)-got)
	if _, err := io.ReadFull(b, rest); !bytes.Equal(rest, want[got:]) || err != nil {
		t.Errorf("ReadFull of the rest: %v, or other bytes", err)
	}
	must(t, result(t, call))
	if n, err := a.TrySend([]byte("x")); n != 1 || err != nil {
		t.Errorf("TrySend after the Send = %d, %v", n, err)
	}
}

//go:build linux

package chunk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
	"github.com/plait-go/plait/uds/leaktest"
)

var (
	errFull     = errors.New("fake: full")
	errEmpty    = errors.New("fake: empty")
	errTooLarge = fmt.Errorf("fake: %w", syscall.EMSGSIZE)
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// A fake is a connection in memory: the packets that are sent are received. The zero
// fake has no limits, and is used by one goroutine.
type fake struct {
	room    int // packets that it holds; no limit if 0
	most    int // bytes of a packet that it takes; no limit if 0
	says    int // what it says that is; most if 0
	deaf    error
	queue   [][]byte
	tooLong int   // packets that it did not take because of that
	ended   error // what Receive returns when nothing is left
}

func (f *fake) MaxMessage() (int, error) {
	switch {
	case f.deaf != nil:
		return 0, f.deaf
	case f.says > 0:
		return f.says, nil
	case f.most > 0:
		return f.most, nil
	}
	return 1 << 30, nil
}

func (f *fake) TrySendv(bufs ...[]byte) (int, error) {
	p := bytes.Join(bufs, nil)
	switch {
	case f.most > 0 && len(p) > f.most:
		f.tooLong++
		return 0, errTooLarge
	case f.room > 0 && len(f.queue) >= f.room:
		return 0, errFull
	}
	f.queue = append(f.queue, p)
	return len(p), nil
}

// Sendv does not wait: a fake that is full stays so until the test reads from it. So
// it ends as if ctx did.
func (f *fake) Sendv(ctx context.Context, bufs ...[]byte) (int, error) {
	n, err := f.TrySendv(bufs...)
	if errors.Is(err, errFull) {
		err = context.Cause(ctx)
	}
	return n, err
}

func (f *fake) TryReceive(p []byte) (int, error) {
	if len(f.queue) == 0 {
		if f.ended != nil {
			return 0, f.ended
		}
		return 0, errEmpty
	}
	head := f.queue[0]
	f.queue = f.queue[1:]
	if n := copy(p, head); n < len(head) {
		return n, fmt.Errorf("fake: packet of %d bytes: %w", len(head), io.ErrShortBuffer)
	}
	return len(head), nil
}

func (f *fake) Receive(_ context.Context, p []byte) (int, error) { return f.TryReceive(p) }

// sizes returns the lengths of the packets that are queued.
func (f *fake) sizes() (n []int) {
	for _, p := range f.queue {
		n = append(n, len(p))
	}
	return n
}

// kinds are the sockets that keep boundaries.
func kinds() []uds.Kind { return []uds.Kind{uds.Datagram, uds.SeqPacket} }

// pair returns two connected sockets, which are closed at the end of the test.
func pair(tb testing.TB, kind uds.Kind) (a, b *uds.Conn) {
	tb.Helper()
	leaktest.Check(tb)
	a, b, err := uds.Pair(kind)
	must(tb, err)
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() }) // the test may have
	return a, b
}

// patient returns a context for calls that must end by themselves.
func patient(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	return ctx
}

// message returns n bytes that depend on i.
func message(i, n int) []byte {
	p := make([]byte, n)
	for j := range p {
		p[j] = byte(i + j*7 + j>>8)
	}
	return p
}

// cut returns the packets of a message in chunks of size bytes.
func cut(sender uint64, id uint32, msg []byte, size int) (packets [][]byte) {
	for at := 0; at == 0 || at < len(msg); at += size {
		h := chunk.Header{Total: uint32(len(msg)), Offset: uint32(at), ID: id, Sender: sender}
		packets = append(packets, append(h.Append(nil), msg[at:min(at+size, len(msg))]...))
	}
	return packets
}

// canceled returns a context that has ended, and its cause.
func canceled(tb testing.TB) (context.Context, error) {
	tb.Helper()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(tb.Context())
	cancel(cause)
	return ctx, cause
}

// must ends the test if there is an error.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// unaccounted returns how many packets are missing in the counts.
func unaccounted(s chunk.Stats) int {
	return int(s.Packets-s.Chunks-s.Orphans-s.Oversize-s.Malformed-s.Truncated-s.Lost) - s.Held
}

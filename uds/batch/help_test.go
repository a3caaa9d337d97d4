//go:build linux

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/batch"
	"github.com/plait-go/plait/uds/leaktest"
)

var (
	errFull     = errors.New("fake: full")
	errEmpty    = errors.New("fake: empty")
	errTooLarge = fmt.Errorf("fake: %w", syscall.EMSGSIZE)
)

// A fake is a connection in memory: what is sent is received. The zero fake has no
// limits but that of its kind, and is used by one goroutine.
type fake struct {
	kind    batch.Kind
	room    int      // bytes that it holds; no limit if 0
	most    int      // bytes of a packet; no limit if 0
	piece   int      // bytes that a Receive returns on a stream, at most; no limit if 0
	queue   [][]byte // what is in it
	used    int      // bytes of that
	calls   int      // of TrySend and Send
	refused int      // calls that had no room for all
	failure error    // what TrySend returns, if anything
	ended   error    // what Receive returns when nothing is left
}

func (f *fake) TrySend(p []byte) (int, error) {
	f.calls++
	n := len(p)
	if f.failure != nil {
		return 0, f.failure
	}
	if f.kind == batch.Packets && f.most > 0 && n > f.most {
		return 0, errTooLarge
	}
	if f.room > 0 && f.used+n > f.room {
		f.refused++
		n = f.room - f.used
		if f.kind == batch.Packets || n == 0 {
			return 0, errFull
		}
	}
	f.queue = append(f.queue, append([]byte(nil), p[:n]...))
	f.used += n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// Send does not wait: a fake that is full stays so until the test reads from it. So
// it ends as if ctx did.
func (f *fake) Send(ctx context.Context, p []byte) (int, error) {
	n, err := f.TrySend(p)
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
	n := copy(p, head)
	if f.kind == batch.Stream {
		if f.piece > 0 {
			n = min(n, f.piece)
		}
		f.used -= n
		if f.queue[0] = head[n:]; len(f.queue[0]) == 0 {
			f.queue = f.queue[1:]
		}
		return n, nil
	}
	f.used -= len(head)
	f.queue = f.queue[1:]
	if n < len(head) {
		return n, fmt.Errorf("fake: packet of %d bytes: %w", len(head), io.ErrShortBuffer)
	}
	return n, nil
}

func (f *fake) Receive(_ context.Context, p []byte) (int, error) { return f.TryReceive(p) }

// kinds are the sockets that the tests of real connections go through.
var kinds = []struct { //nolint:gochecknoglobals // a table
	socket uds.Kind
	kind   batch.Kind
}{
	{uds.Stream, batch.Stream},
	{uds.Datagram, batch.Packets},
	{uds.SeqPacket, batch.Packets},
}

// pair returns two connected sockets, which are closed at the end of the test.
func pair(tb testing.TB, kind uds.Kind) (a, b *uds.Conn) {
	tb.Helper()
	leaktest.Check(tb)
	a, b, err := uds.Pair(kind)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = a.Close() // the test may have
		_ = b.Close()
	})
	return a, b
}

// record returns n bytes that depend on i.
func record(i, n int) []byte {
	p := make([]byte, n)
	for j := range p {
		p[j] = byte(i + j*7 + j>>8)
	}
	return p
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

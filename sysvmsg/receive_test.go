//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// receivers are the two ways to receive, of which neither waits in these tests.
func receivers(tb testing.TB, q *sysvmsg.Queue) map[string]func(s sysvmsg.Selector, p []byte) (int, sysvmsg.Type, error) {
	tb.Helper()
	ctx := within(tb)
	return map[string]func(s sysvmsg.Selector, p []byte) (int, sysvmsg.Type, error){
		"Receive":    func(s sysvmsg.Selector, p []byte) (int, sysvmsg.Type, error) { return q.Receive(ctx, s, p) },
		"TryReceive": q.TryReceive,
	}
}

func TestSelectors(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	for name, receive := range receivers(t, q) {
		for _, c := range []struct {
			s    sysvmsg.Selector
			want string // type and place
		}{
			{sysvmsg.Any(), "5a"},
			{sysvmsg.Selector{}, "5a"},
			{sysvmsg.Exact(3), "3b"},
			{sysvmsg.Exact(1), "1e"},
			{sysvmsg.Lowest(4), "1e"},
			{sysvmsg.Lowest(1), "1e"},
			{sysvmsg.Lowest(math.MaxInt), "1e"},
			{sysvmsg.Except(5), "3b"},
			{sysvmsg.Except(3), "5a"},
			{sysvmsg.Except(7), "5a"},
		} {
			for i, typ := range []sysvmsg.Type{5, 3, 9, 3, 1} {
				send(t, q, typ, fmt.Sprintf("%d%c", typ, 'a'+i))
			}
			p := make([]byte, 10)
			n, typ, err := receive(c.s, p)
			if err != nil || string(p[:n]) != c.want || int(typ) != int(p[0]-'0') {
				t.Errorf("%s(%v) = %q, %d, %v; want %q", name, c.s, p[:n], typ, err, c.want)
			}
			for range 4 {
				_, err := q.Discard(sysvmsg.Any())
				must(t, err)
			}
		}
	}
}

func TestSelectorsThatFindNothing(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	p := make([]byte, 10)
	if _, _, err := q.TryReceive(sysvmsg.Any(), p); err != sysvmsg.ErrEmpty { // bare
		t.Errorf("TryReceive of an empty queue = %v; want %v", err, sysvmsg.ErrEmpty)
	}
	send(t, q, 5, "x")
	for _, s := range []sysvmsg.Selector{sysvmsg.Exact(4), sysvmsg.Exact(6), sysvmsg.Lowest(4), sysvmsg.Except(5)} {
		if _, _, err := q.TryReceive(s, p); err != sysvmsg.ErrEmpty {
			t.Errorf("TryReceive(%v) = %v; want %v", s, err, sysvmsg.ErrEmpty)
		}
		if _, err := q.Discard(s); err != sysvmsg.ErrEmpty {
			t.Errorf("Discard(%v) = %v; want %v", s, err, sysvmsg.ErrEmpty)
		}
	}
	for name, receive := range receivers(t, q) {
		for _, typ := range []sysvmsg.Type{0, -1, math.MinInt} {
			for _, s := range []sysvmsg.Selector{sysvmsg.Exact(typ), sysvmsg.Lowest(typ), sysvmsg.Except(typ)} {
				_, _, err := receive(s, p)
				wantError(t, fmt.Sprintf("%s(%v)", name, s), err, unix.EINVAL)
			}
		}
	}
	wantCount(t, q, 1, 1)
}

func TestSelectorString(t *testing.T) {
	for s, want := range map[sysvmsg.Selector]string{
		{}:                "any type",
		sysvmsg.Any():     "any type",
		sysvmsg.Exact(2):  "type 2",
		sysvmsg.Lowest(3): "lowest type up to 3",
		sysvmsg.Except(4): "any type but 4",
	} {
		if got := s.String(); got != want {
			t.Errorf("String() = %q; want %q", got, want)
		}
	}
}

// Ten messages come in their order, and the kernel counts them.
func TestOrder(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	bytes := 0
	for i := range 10 {
		text := strings.Repeat("x", i) + "."
		send(t, q, 1, text)
		bytes += len(text)
	}
	wantCount(t, q, 10, bytes)
	for i := range 10 {
		wantMessage(t, q, sysvmsg.Any(), 1, strings.Repeat("x", i)+".")
	}
	wantCount(t, q, 0, 0)
}

// A message that the buffer is too small for stays, and can be had otherwise.
func TestShortBuffer(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	large := strings.Repeat("x", 5000)
	for name, receive := range receivers(t, q) {
		send(t, q, 7, large)
		for _, c := range []struct {
			s            sysvmsg.Selector
			buffer, size int
		}{
			{sysvmsg.Any(), 4096, 5000},
			{sysvmsg.Any(), 4999, 5000},
			{sysvmsg.Any(), 0, 5000},
			{sysvmsg.Exact(7), 4096, 0}, // which one it is nobody tells
			{sysvmsg.Lowest(9), 4999, 0},
		} {
			n, _, err := receive(c.s, make([]byte, c.buffer))
			var short *sysvmsg.ShortBufferError
			if !errors.Is(err, io.ErrShortBuffer) || !errors.As(err, &short) || n != 0 {
				t.Fatalf("%s(%v, %d bytes) = %d, %v; want 0, %v", name, c.s, c.buffer, n, err, io.ErrShortBuffer)
			}
			if short.Buffer != c.buffer || short.Size != c.size && canPeek(t) {
				t.Errorf("%s(%v, %d bytes): %+v; want size %d", name, c.s, c.buffer, *short, c.size)
			}
			if !strings.Contains(err.Error(), q.String()) {
				t.Errorf("the error is %q; want it to name %v", err, q)
			}
		}
		wantCount(t, q, 1, 5000)
		p := make([]byte, 5000)
		if n, typ, err := receive(sysvmsg.Any(), p); string(p[:n]) != large || typ != 7 || err != nil {
			t.Errorf("%s(5000 bytes) = %d, %d, %v; want 5000, 7, <nil>", name, n, typ, err)
		}
	}
}

func TestDiscard(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	send(t, q, 5, strings.Repeat("x", 8000))
	send(t, q, 4, "")
	send(t, q, 6, "z")
	for _, c := range []struct {
		s    sysvmsg.Selector
		want sysvmsg.Type
	}{
		{sysvmsg.Exact(6), 6},
		{sysvmsg.Lowest(9), 4},
		{sysvmsg.Any(), 5},
	} {
		if typ, err := q.Discard(c.s); typ != c.want || err != nil {
			t.Errorf("Discard(%v) = %d, %v; want %d, <nil>", c.s, typ, err, c.want)
		}
	}
	if _, err := q.Discard(sysvmsg.Any()); err != sysvmsg.ErrEmpty { // bare
		t.Errorf("Discard of an empty queue = %v; want %v", err, sysvmsg.ErrEmpty)
	}
	_, err := q.Discard(sysvmsg.Exact(0))
	wantError(t, "Discard(Exact(0))", err, unix.EINVAL)
	wantCount(t, q, 0, 0)
}

// What is behind the message in the caller's buffer stays as it was.
func TestReceiveKeepsTheRestOfTheBuffer(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	for name, receive := range receivers(t, q) {
		send(t, q, 1, "new")
		p := []byte("old and long")
		if n, _, err := receive(sysvmsg.Any(), p); n != 3 || string(p) != "new and long" || err != nil {
			t.Errorf("%s = %d, %v, buffer %q; want 3, <nil>, %q", name, n, err, p, "new and long")
		}
	}
}

func TestReceiveWaitsForItsType(t *testing.T) {
	checkLeaks(t)
	for kind, ctx := range contexts(t) {
		q := private(t, 0)
		got := make(chan error, 1)
		go func() {
			p := make([]byte, 10)
			n, typ, err := q.Receive(ctx, sysvmsg.Exact(2), p)
			if err == nil && (string(p[:n]) != "b" || typ != 2) {
				err = fmt.Errorf("got %q of type %d", p[:n], typ)
			}
			got <- err
		}()
		eventually(t, "Receive waits", func() bool { return sysvmsg.Blocked() == 1 })
		send(t, q, 1, "a")
		send(t, q, 2, "b")
		if err := <-got; err != nil {
			t.Errorf("%s: Receive(type 2) = %v; want <nil>", kind, err)
		}
		wantMessage(t, q, sysvmsg.Any(), 1, "a")
	}
}

func TestReceiveAfterTheEnd(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	send(t, q, 1, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := q.Receive(ctx, sysvmsg.Any(), make([]byte, 10))
	wantError(t, "Receive", err, context.Canceled)
	wantCount(t, q, 1, 1)
}

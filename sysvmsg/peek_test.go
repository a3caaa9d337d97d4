//go:build linux

package sysvmsg_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// canPeek reports whether the kernel can.
func canPeek(tb testing.TB) bool {
	tb.Helper()
	_, _, err := private(tb, 0).Peek(0, nil)
	return !errors.Is(err, errors.ErrUnsupported)
}

func TestPeek(t *testing.T) {
	if !canPeek(t) {
		t.Skip("the kernel lacks CONFIG_CHECKPOINT_RESTORE")
	}
	checkLeaks(t)
	q := private(t, 0)
	texts := []string{"first", "", strings.Repeat("x", 8000)}
	for i, text := range texts {
		send(t, q, sysvmsg.Type(9-i), text)
	}
	p := make([]byte, 8192)
	for range 2 {
		for i, text := range texts {
			n, typ, err := q.Peek(i, p)
			if string(p[:n]) != text || typ != sysvmsg.Type(9-i) || err != nil {
				t.Errorf("Peek(%d) = %d bytes, %d, %v; want %d, %d, <nil>", i, n, typ, err, len(text), 9-i)
			}
		}
	}
	if _, _, err := q.Peek(3, p); err != sysvmsg.ErrEmpty { // bare
		t.Errorf("Peek(3) = %v; want %v", err, sysvmsg.ErrEmpty)
	}
	_, _, err := q.Peek(-1, p)
	wantError(t, "Peek(-1)", err, unix.EINVAL)
	_, _, err = q.Peek(2, p[:100])
	var short *sysvmsg.ShortBufferError
	if !errors.Is(err, io.ErrShortBuffer) || !errors.As(err, &short) || short.Size != 8000 || short.Buffer != 100 {
		t.Errorf("Peek(2, 100 bytes) = %v; want a message of 8000 bytes", err)
	}
	for i, text := range texts { // all are there still
		wantMessage(t, q, sysvmsg.Any(), sysvmsg.Type(9-i), text)
	}
	must(t, q.Remove())
	_, _, err = q.Peek(0, p)
	wantError(t, "Peek after Remove", err, sysvmsg.ErrRemoved)
}

package framing_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

func TestReaderReadBetweenFrames(t *testing.T) {
	stream := "body 5\r\nabcdebody 3\r\nxyzend\r\n"
	for name, rd := range map[string]io.Reader{
		"whole": strings.NewReader(stream),
		"byte":  iotest.OneByteReader(strings.NewReader(stream)),
	} {
		r := framing.NewReader(rd, crlf{})
		var got []string
		for f, err := range r.All() {
			got = append(got, show(f, err))
			if head, ok := strings.CutPrefix(string(f), "body "); ok {
				body, err := io.ReadAll(io.LimitReader(r, int64(head[0]-'0')))
				got = append(got, show(body, err))
			}
		}
		want := []string{"body 5\r\n", "abcde", "body 3\r\n", "xyz", "end\r\n"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := r.Offset(); got != int64(len(stream)) {
			t.Errorf("%s: Offset() = %d; want %d", name, got, len(stream))
		}
	}
}

func TestReaderIsAReader(t *testing.T) {
	r := framing.NewReader(strings.NewReader("first\r\nthe rest of it"), crlf{})
	if f, err := r.Next(); err != nil {
		t.Fatalf("Next() = %q, %v", f, err)
	}
	if err := iotest.TestReader(r, []byte("the rest of it")); err != nil {
		t.Error(err)
	}
}

func TestReaderReadReturnsThePendingError(t *testing.T) {
	r := framing.NewReader(&script{[]any{with{"a!bc", os.ErrDeadlineExceeded}, "d"}}, bang{})
	_, _ = r.Next()
	if got, err := io.ReadAll(r); string(got) != "bc" || err != os.ErrDeadlineExceeded {
		t.Errorf("ReadAll = %q, %v; want what came with the error, then the error", got, err)
	}
	if got, err := io.ReadAll(r); string(got) != "d" || err != nil {
		t.Errorf("ReadAll = %q, %v; want the rest", got, err)
	}
}

func TestReaderReadPassesOverADiscardedFrame(t *testing.T) {
	r := framing.NewReader(iotest.OneByteReader(strings.NewReader("too long\r\nbody")), crlf{})
	r.Max, r.Discard = 4, true
	if _, err := r.Next(); !errors.Is(err, framing.ErrTooLong) {
		t.Errorf("Next() = %v; want ErrTooLong", err)
	}
	if got, err := io.ReadAll(r); string(got) != "body" || err != nil {
		t.Errorf("ReadAll = %q, %v; want what comes behind the oversize frame", got, err)
	}
	r.Reset(strings.NewReader("too long\r"))
	_, _ = r.Next()
	if _, err := r.Read(make([]byte, 9)); err != io.ErrUnexpectedEOF {
		t.Errorf("Read = %v inside the oversize frame; want unexpected EOF", err)
	}
}

func TestReaderWriteTo(t *testing.T) {
	for name, rd := range map[string]io.Reader{
		"all in hand":     strings.NewReader("a!body"),
		"some in hand":    &script{[]any{"a!b", "od", "y"}},
		"none in hand":    &script{[]any{"a!", "body"}},
		"end came early":  &script{[]any{with{"a!body", io.EOF}}},
		"end in one read": iotest.DataErrReader(strings.NewReader("a!body")),
	} {
		r := framing.NewReader(rd, bang{})
		if _, err := r.Next(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		if n, err := r.WriteTo(&b); n != 4 || err != nil || b.String() != "body" || r.Offset() != 6 {
			t.Errorf("%s: WriteTo = %d, %v, wrote %q, Offset() = %d; want 4, nil, %q, 6", name, n, err, b.String(), r.Offset(), "body")
		}
	}
}

func TestReaderWriteToErrors(t *testing.T) {
	boom := errors.New("boom")
	r := framing.NewReader(&script{[]any{"a!body", "more"}}, bang{})
	_, _ = r.Next()
	w := &fussy{room: 3, err: boom}
	out := struct{ io.Writer }{w}
	if n, err := r.WriteTo(out); n != 3 || err != boom {
		t.Errorf("WriteTo = %d, %v; want 3, boom", n, err)
	}
	w.room, w.err = 1, nil
	if n, err := r.WriteTo(out); n != 2 || err != io.ErrShortWrite || w.String() != "bodym" {
		t.Errorf("WriteTo = %d, %v, wrote %q in all; want 2, short write, %q", n, err, w.String(), "bodym")
	}
	r = framing.NewReader(&script{[]any{with{"a!b", boom}, "c"}}, bang{})
	_, _ = r.Next()
	var b bytes.Buffer
	if n, err := r.WriteTo(&b); n != 1 || err != boom {
		t.Errorf("WriteTo = %d, %v; want 1, boom", n, err)
	}
	if n, err := r.WriteTo(&b); n != 1 || err != nil || b.String() != "bc" {
		t.Errorf("WriteTo = %d, %v, wrote %q in all; want 1, nil, %q", n, err, b.String(), "bc")
	}
}

package framing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

// A fussy writer takes room bytes a Write, then returns err.
type fussy struct {
	bytes.Buffer
	room   int
	err    error
	writes int
}

func (w *fussy) Write(p []byte) (int, error) {
	w.writes++
	n := min(w.room, len(p))
	_, _ = w.Buffer.Write(p[:n])
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

func TestWriterGathersFrames(t *testing.T) {
	out := &fussy{room: 1 << 20}
	w := framing.NewWriter(out, short{})
	for _, p := range []string{"a", "", "bcd"} {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("Write(%q) = %d, %v", p, n, err)
		}
	}
	if out.writes != 0 || w.Buffered() != 10 {
		t.Errorf("%d writes, Buffered() = %d before Flush; want 0, 10", out.writes, w.Buffered())
	}
	for range 2 {
		if err := w.Flush(); err != nil {
			t.Errorf("Flush() = %v", err)
		}
	}
	if want := "\x00\x03a\x00\x02\x00\x05bcd"; out.String() != want || out.writes != 1 || w.Buffered() != 0 {
		t.Errorf("%q in %d writes; want %q in 1", out, out.writes, want)
	}
}

func TestWriterWritesAt64KiB(t *testing.T) {
	out := &fussy{room: 1 << 20}
	w := framing.NewWriter(out, short{})
	payload := make([]byte, 1022)
	for range 128 {
		if _, err := w.Write(payload); err != nil {
			t.Fatal(err)
		}
		if w.Buffered() > 64<<10 {
			t.Fatalf("%d bytes are kept; want at most 64 KiB", w.Buffered())
		}
	}
	if out.writes < 1 || out.writes > 3 {
		t.Errorf("%d writes for 128 KiB; want about 2", out.writes)
	}
	out.writes = 0
	w.Reset(out)
	if n, err := w.Write(make([]byte, 65533)); n != 65533 || err != nil || out.writes != 0 {
		t.Errorf("Write of 64 KiB less 3 = %d, %v in %d writes; want it kept", n, err, out.writes)
	}
	if _, err := w.Write([]byte("abcd")); err != nil || out.writes != 1 {
		t.Errorf("the next Write = %v, %d writes; want what was kept to be written", err, out.writes)
	}
}

func TestWriterWritesALargeFrameAtOnce(t *testing.T) {
	out := &fussy{room: 1 << 20}
	w := framing.NewWriter(out, lines{})
	_, _ = w.Write([]byte("first"))
	if n, err := w.Write(make([]byte, 100<<10)); n != 100<<10 || err != nil || w.Buffered() != 0 || out.writes != 2 {
		t.Errorf("Write = %d, %v, %d kept, %d writes; want all written in 2", n, err, w.Buffered(), out.writes)
	}
	out.room, out.err = 10, os.ErrDeadlineExceeded
	out.Reset()
	if n, err := w.Write(make([]byte, 100<<10)); n != 100<<10 || err != os.ErrDeadlineExceeded {
		t.Errorf("Write = %d, %v; want the frame taken and the error told", n, err)
	}
	out.room = 1 << 20
	if err := w.Flush(); err != nil || out.Len() != 100<<10+1 {
		t.Errorf("Flush() = %v, %d bytes written; want nil, %d", err, out.Len(), 100<<10+1)
	}
}

// lines is an Appender of lines, which refuses those with a line end inside.
type lines struct{}

var errLine = errors.New("line end in line")

func (lines) AppendFrame(dst, payload []byte) ([]byte, error) {
	if bytes.IndexByte(payload, '\n') >= 0 {
		return dst, errLine
	}
	return append(append(dst, payload...), '\n'), nil
}

func TestWriterResumesAShortWrite(t *testing.T) {
	for _, err := range []error{os.ErrDeadlineExceeded, nil} {
		out := &fussy{room: 4, err: err}
		w := framing.NewWriter(out, lines{})
		for _, line := range []string{"one", "two", "three"} {
			_, _ = w.Write([]byte(line))
		}
		want := err
		if want == nil {
			want = io.ErrShortWrite
		}
		if got := w.Flush(); got != want {
			t.Errorf("Flush() = %v; want %v", got, want)
		}
		_, _ = w.Write([]byte("four"))
		for i := 0; w.Flush() != nil; i++ {
			if i > 9 {
				t.Fatal("Flush does not come to an end")
			}
		}
		if got := out.String(); got != "one\ntwo\nthree\nfour\n" {
			t.Errorf("written %q; want each byte once", got)
		}
	}
}

func TestWriterTakesNothingWhenItCannotWrite(t *testing.T) {
	out := &fussy{err: os.ErrDeadlineExceeded}
	w := framing.NewWriter(out, lines{})
	line := []byte(strings.Repeat("x", 40<<10))
	if n, err := w.Write(line); n != len(line) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	kept := w.Buffered()
	for range 3 {
		if n, err := w.Write(line); n != 0 || err != os.ErrDeadlineExceeded || w.Buffered() != kept {
			t.Errorf("Write = %d, %v, %d bytes kept; want 0, the error, %d", n, err, w.Buffered(), kept)
		}
	}
	out.room = 1 << 20
	if n, err := w.Write(line); n != len(line) || err != nil {
		t.Errorf("Write = %d, %v once there is room", n, err)
	}
	_ = w.Flush()
	if out.Len() != 2*(len(line)+1) {
		t.Errorf("%d bytes written; want two lines of %d", out.Len(), len(line)+1)
	}
}

func TestWriterRefusedPayload(t *testing.T) {
	var out bytes.Buffer
	w := framing.NewWriter(&out, lines{})
	_, _ = w.Write([]byte("a"))
	if n, err := w.Write([]byte("b\nc")); n != 0 || err != errLine {
		t.Errorf("Write = %d, %v; want 0, %v", n, err, errLine)
	}
	_, _ = w.Write([]byte("d"))
	if err := w.Flush(); err != nil || out.String() != "a\nd\n" {
		t.Errorf("Flush() = %v, written %q; want the lines around the refused one", err, out.String())
	}
}

func TestWriterUnderAnEncoder(t *testing.T) {
	var out bytes.Buffer
	w := framing.NewWriter(&out, short{})
	enc := json.NewEncoder(w)
	for i := range 3 {
		if err := enc.Encode(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for f, err := range framing.NewReader(&out, short{}).All() {
		got = append(got, show(f, err))
	}
	if diff := cmp.Diff([]string{"\x00\x040\n", "\x00\x041\n", "\x00\x042\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// stretch is an Appender whose frames are sixteen times as long as the payload.
type stretch struct{}

func (stretch) AppendFrame(dst, payload []byte) ([]byte, error) {
	return append(dst, bytes.Repeat(payload, 16)...), nil
}

func TestWriterCountsFramesNotPayloads(t *testing.T) {
	out := &fussy{room: 1 << 20}
	w := framing.NewWriter(out, stretch{})
	for range 3 {
		if n, err := w.Write(make([]byte, 5000)); n != 5000 || err != nil || w.Buffered() >= 64<<10 {
			t.Errorf("Write = %d, %v with %d bytes kept; want less than 64 KiB", n, err, w.Buffered())
		}
	}
	if out.writes != 3 {
		t.Errorf("%d writes; want one for each 80 000 bytes", out.writes)
	}
}

func TestWriterOverAnImpossibleCount(t *testing.T) {
	for _, n := range []int{-1, 1 << 20} {
		w := framing.NewWriter(writerFunc(func([]byte) (int, error) { return n, errLine }), lines{})
		_, _ = w.Write([]byte("a"))
		if err := w.Flush(); err != errLine {
			t.Errorf("Flush() over a Write that returns %d = %v; want its error", n, err)
		}
		if got, want := w.Buffered(), map[int]int{-1: 2, 1 << 20: 0}[n]; got != want {
			t.Errorf("Buffered() = %d after a Write that returned %d; want %d", got, n, want)
		}
	}
}

package framing_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

// A script is an io.Reader that plays its steps: a string is read, however small
// the room; an error is returned; both together in one Read when joined by with.
type script struct{ steps []any }

type with struct {
	data string
	err  error
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	switch v := step.(type) {
	case string:
		n := copy(p, v)
		if n < len(v) {
			s.steps = append([]any{v[n:]}, s.steps...)
		}
		return n, nil
	case with:
		return copy(p, v.data), v.err
	}
	return 0, step.(error)
}

// drain returns all frames and errors that Next returns up to and with the n-th
// error.
func drain(r *framing.Reader, n int) []string {
	var out []string
	for n > 0 {
		f, err := r.Next()
		out = append(out, show(f, err))
		if err != nil {
			n--
		}
	}
	return out
}

func TestReaderNext(t *testing.T) {
	stream := "a\r\n\r\nbcd\r\nrest"
	want := []string{"a\r\n", "\r\n", "bcd\r\n", "error: unexpected EOF", "error: unexpected EOF"}
	for name, rd := range map[string]io.Reader{
		"whole":   strings.NewReader(stream),
		"byte":    iotest.OneByteReader(strings.NewReader(stream)),
		"half":    iotest.HalfReader(strings.NewReader(stream)),
		"dataerr": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		r := framing.NewReader(rd, crlf{})
		if diff := cmp.Diff(want, drain(r, 2)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := string(r.Buffered()); got != "rest" {
			t.Errorf("%s: Buffered() = %q; want %q", name, got, "rest")
		}
		if got := r.Offset(); got != 10 {
			t.Errorf("%s: Offset() = %d; want 10", name, got)
		}
	}
}

func TestReaderEnd(t *testing.T) {
	for _, tt := range []struct {
		s      framing.Splitter
		stream string
		want   error
	}{
		{crlf{}, "", io.EOF},
		{crlf{}, "a\r\n", io.EOF},
		{crlf{}, "a\r\nb", io.ErrUnexpectedEOF},
		{short{}, "\x00", io.ErrUnexpectedEOF},
		{short{}, "\x00\x05", io.ErrUnexpectedEOF}, // only the header of a frame
		{short{}, "\x00\x02", io.EOF},
	} {
		r := framing.NewReader(strings.NewReader(tt.stream), tt.s)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if err != tt.want {
			t.Errorf("%q ends with %v; want %v", tt.stream, err, tt.want)
		}
	}
}

func TestReaderReturnsIOErrorsOnce(t *testing.T) {
	boom := errors.New("boom")
	r := framing.NewReader(&script{[]any{
		"a", os.ErrDeadlineExceeded, "b\r", os.ErrDeadlineExceeded, "\n", with{"c\r\nd", boom}, with{"\r\ne", io.EOF},
	}}, crlf{})
	want := []string{
		"error: i/o timeout", "error: i/o timeout", "ab\r\n", "c\r\n", "error: boom", "d\r\n", "error: unexpected EOF",
	}
	if diff := cmp.Diff(want, drain(r, 4)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderReadsOfNothing(t *testing.T) {
	steps := []any{"a"}
	for range 99 {
		steps = append(steps, "")
	}
	r := framing.NewReader(&script{append(steps, "b\r\n")}, crlf{})
	if f, err := r.Next(); err != nil || string(f) != "ab\r\n" {
		t.Errorf("Next() = %q, %v after 99 empty reads; want the frame", f, err)
	}
	r.Reset(readerFunc(func([]byte) (int, error) { return 0, nil }))
	if _, err := r.Next(); err != io.ErrNoProgress {
		t.Errorf("Next() on a reader that reads nothing: %v; want ErrNoProgress", err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReaderImpossibleCount(t *testing.T) {
	for _, n := range []int{-1, 1 << 20} {
		r := framing.NewReader(readerFunc(func([]byte) (int, error) { return n, nil }), crlf{})
		if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "impossible count") {
			t.Errorf("Next() after a Read of %d: %v; want an error that tells", n, err)
		}
	}
}

func TestReaderDoesNotReadAheadOfNeed(t *testing.T) {
	reads := 0
	rd := strings.NewReader("a!b!c")
	r := framing.NewReader(readerFunc(func(p []byte) (int, error) {
		reads++
		return rd.Read(p)
	}), bang{})
	for i := range 2 {
		if _, err := r.Next(); err != nil || reads != 1 {
			t.Errorf("frame %d: error %v after %d reads; want 1 read", i, err, reads)
		}
	}
	if _, err := r.Next(); err != io.ErrUnexpectedEOF || reads != 2 {
		t.Errorf("Next() = %v after %d reads; want unexpected EOF after 2", err, reads)
	}
}

func TestReaderAll(t *testing.T) {
	r := framing.NewReader(strings.NewReader("a!b!c!"), bang{})
	var got []string
	for f, err := range r.All() {
		got = append(got, show(f, err))
		if len(got) == 2 {
			break
		}
	}
	for f, err := range r.All() {
		got = append(got, show(f, err))
	}
	if diff := cmp.Diff([]string{"a!", "b!", "c!"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	turns := 0
	r.Reset(strings.NewReader("a!b"))
	for _, err := range r.All() {
		if turns++; turns == 2 && err != io.ErrUnexpectedEOF {
			t.Errorf("turn 2: %v; want unexpected EOF", err)
		}
	}
	if turns != 2 {
		t.Errorf("%d turns; want a frame and an error", turns)
	}
}

func TestReaderUse(t *testing.T) {
	r := framing.NewReader(strings.NewReader("go\r\n\x00\x03a!b!"), crlf{})
	var got []string
	for _, s := range []framing.Splitter{crlf{}, short{}, bang{}} {
		r.Use(s)
		f, err := r.Next()
		got = append(got, show(f, err))
	}
	if diff := cmp.Diff([]string{"go\r\n", "\x00\x03a", "!"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Reset(iotest.OneByteReader(strings.NewReader("ab!")))
	r.Use(crlf{})
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Errorf("Next() = %v; want unexpected EOF", err)
	}
	r.Use(bang{})
	if f, err := r.Next(); string(f) != "ab!" || err != nil {
		t.Errorf("Next() = %q, %v; want the bytes in hand cut anew", f, err)
	}
}

func TestReaderErrorIsRemembered(t *testing.T) {
	r := framing.NewReader(strings.NewReader("\x00\x03a\x00\x00\x00\x03b"), short{})
	want := `error: framing: at byte 3: short of its own header: corrupt frame, begins with "\x00\x00"`
	if diff := cmp.Diff([]string{"\x00\x03a", want, want, want}, drain(r, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n, err := r.Read(make([]byte, 9)); n != 0 || !errors.Is(err, framing.ErrCorrupt) {
		t.Errorf("Read = %d, %v; want 0, ErrCorrupt", n, err)
	}
	if got := string(r.Buffered()); got != "\x00\x00\x00\x03b" {
		t.Errorf("Buffered() = %q; want the bad frame and all behind it", got)
	}
}

package framing_test

import (
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

// A mail dialogue: the frames behind DATA! belong to the inner loop.
const dialogue = "DATA!l1!l2!.!QUIT!DATA!l3!.!NOOP!"

func TestReaderLoopInALoop(t *testing.T) {
	for name, rd := range map[string]io.Reader{
		"whole":  strings.NewReader(dialogue),
		"halves": iotest.HalfReader(strings.NewReader(dialogue)),
		"bytes":  iotest.OneByteReader(strings.NewReader(dialogue)),
		"refill": &script{[]any{"DATA!l1!l", "2!.!QUIT!DA", "TA!l3!.!NO", "OP!"}},
	} {
		r := framing.NewReader(rd, bang{})
		var got []string
		for f, err := range r.All() {
			got = append(got, show(f, err))
			if string(f) != "DATA!" {
				continue
			}
			for f, err := range r.All() {
				got = append(got, "in "+show(f, err))
				if string(f) == ".!" {
					break
				}
			}
		}
		want := []string{"DATA!", "in l1!", "in l2!", "in .!", "QUIT!", "DATA!", "in l3!", "in .!", "NOOP!"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReaderCallsInItsLoop(t *testing.T) {
	r := framing.NewReader(strings.NewReader("a!b!cd!e!f!g!"), bang{})
	var got []string
	for f, err := range r.All() {
		got = append(got, show(f, err))
		switch string(f) {
		case "a!":
			f, err := r.Next()
			got = append(got, "Next "+show(f, err))
		case "cd!":
			p := make([]byte, 2)
			_, err := io.ReadFull(r, p)
			got = append(got, "Read "+show(p, err))
		case "f!":
			r.Reset(strings.NewReader("x!y!"))
		}
	}
	want := []string{"a!", "Next b!", "cd!", "Read e!", "f!", "x!", "y!"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderLoopsTakeTurns(t *testing.T) {
	r := framing.NewReader(strings.NewReader("a!b!c!d!"), bang{})
	one, stopOne := iter.Pull2(r.All())
	two, stopTwo := iter.Pull2(r.All())
	defer stopOne()
	defer stopTwo()
	var got []string
	for range 2 {
		f, err, _ := one()
		got = append(got, show(f, err))
		f, err, _ = two()
		got = append(got, show(f, err))
	}
	if diff := cmp.Diff([]string{"a!", "b!", "c!", "d!"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderCallsOnTheTurnOfAnOversizeFrame(t *testing.T) {
	r := framing.NewReader(strings.NewReader("a\r\nbcdefghijk\r\nc\r\nd\r\n"), crlf{})
	r.Max, r.Discard = 6, true
	var got []string
	for f, err := range r.All() {
		got = append(got, string(f))
		if err != nil {
			f, err := r.Next()
			got = append(got, "Next "+show(f, err))
		}
	}
	if diff := cmp.Diff([]string{"a\r\n", "", "Next c\r\n", "d\r\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The frame's length was known, and what is read now is not that frame any more.
func TestReaderReadInsideAFrame(t *testing.T) {
	for name, read := range map[string]func(*framing.Reader) ([]byte, error){
		"Read": func(r *framing.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, 3)) },
		"WriteTo": func(r *framing.Reader) ([]byte, error) {
			var b strings.Builder
			_, err := r.WriteTo(&b)
			return []byte(b.String()), err
		},
	} {
		r := framing.NewReader(&script{[]any{"\x00\x09a", errLine, io.EOF, "\x00\x03b"}}, short{})
		if _, err := r.Next(); err != errLine {
			t.Fatalf("Next() = %v", err)
		}
		if got, err := read(r); string(got) != "\x00\x09a" || err != nil {
			t.Errorf("%s: %q, %v; want the frame's beginning", name, got, err)
		}
		if name == "Read" {
			_, _ = r.Next() // the end that comes next
		}
		if f, err := r.Next(); string(f) != "\x00\x03b" || err != nil {
			t.Errorf("%s: then Next() = %q, %v; want the frame behind it", name, f, err)
		}
	}
}

func TestReaderBufferedEndsAtItsCapacity(t *testing.T) {
	r := framing.NewReader(strings.NewReader("a!bc"), bang{})
	_, _ = r.Next()
	if b := r.Buffered(); string(b) != "bc" || cap(b) != len(b) {
		t.Errorf("Buffered() = %q with capacity %d; want %q and no more", b, cap(b), "bc")
	}
}

func TestDecoderResetAndFedInsideTheLoop(t *testing.T) {
	d := framing.NewDecoder(bang{})
	var got []string
	for f, err := range d.Frames([]byte("a!b!c!")) {
		got = append(got, show(f, err))
		d.Reset()
		got = append(got, collect(d, "x!y!z")...)
	}
	if diff := cmp.Diff([]string{"a!", "x!", "y!"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if string(d.Buffered()) != "z" || d.Offset() != 4 {
		t.Errorf("Buffered() = %q, Offset() = %d; want those of the new stream", d.Buffered(), d.Offset())
	}
}

func TestDecoderResetBeforeBreak(t *testing.T) {
	d := framing.NewDecoder(bang{})
	for f, err := range d.Frames([]byte("a!b!c!")) {
		if string(f) != "a!" || err != nil {
			t.Errorf("frame %q, %v", f, err)
		}
		d.Reset()
		break
	}
	if len(d.Buffered()) != 0 || d.Offset() != 0 || d.Close() != nil {
		t.Errorf("Buffered() = %q, Offset() = %d, Close() = %v; want a new Decoder's", d.Buffered(), d.Offset(), d.Close())
	}
}

func TestDecoderUseForgetsALength(t *testing.T) {
	d := framing.NewDecoder(short{})
	collect(d, "\x00\x09a")
	d.Use(bang{})
	if diff := cmp.Diff([]string{"\x00\x09ab!", "c!"}, collect(d, "b!c!")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMaxLoweredBelowALength(t *testing.T) {
	d := framing.NewDecoder(short{})
	collect(d, "\x00\x0aabc")
	d.Max = 6
	want := []string{`error: framing: at byte 0: frame too long: 10 bytes, limit 6, begins with "\x00\n"`}
	if diff := cmp.Diff(want, collect(d, "defgh")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// stuck and greedy are Resyncers that break their contract: the one finds the next
// frame where the oversize one begins, the other beyond what it was shown.
type (
	stuck  struct{ bang }
	greedy struct{ bang }
)

func (stuck) Resync([]byte) (int, bool)       { return 0, true }
func (greedy) Resync(data []byte) (int, bool) { return len(data) + 9, true }

func TestDiscardWithABrokenResyncer(t *testing.T) {
	for _, s := range []framing.Splitter{stuck{}, greedy{}} {
		d := framing.NewDecoder(s)
		d.Max, d.Discard = 4, true
		r := framing.NewReader(strings.NewReader("abcdefgh!i!"), s)
		r.Max, r.Discard = 4, true
		turns := 0
		for _, err := range d.Frames([]byte("abcdefgh!i!")) {
			if turns++; !errors.Is(err, framing.ErrTooLong) || turns > 3 {
				t.Fatalf("%T, pushed: turn %d, %v", s, turns, err)
			}
		}
		for _, err := range r.All() {
			if turns++; !errors.Is(err, framing.ErrTooLong) || turns > 6 {
				t.Fatalf("%T, pulled: turn %d, %v", s, turns, err)
			}
		}
	}
}

// Long delimiters need their look-back whatever Max is.
func TestDiscardLooksBackFar(t *testing.T) {
	delim := strings.Repeat("-", 254) + ">"
	for _, limit := range []int{10, 10_000} {
		s := resyncer{framing.SplitterFunc(func(data []byte, _ int) (int, error) {
			if i := strings.Index(string(data), delim); i >= 0 {
				return i + len(delim), nil
			}
			return 0, nil
		}), delim}
		stream := strings.Repeat("x", 11_000) + delim + "a" + delim
		d := framing.NewDecoder(s)
		d.Max, d.Discard = limit, true
		errs, frames := 0, 0
		for _, p := range strings.SplitAfter(stream, "-") {
			for _, err := range d.Frames([]byte(p)) {
				if err != nil {
					errs++
				} else {
					frames++
				}
			}
		}
		if want := map[int][2]int{10: {2, 0}, 10_000: {1, 1}}[limit]; errs != want[0] || frames != want[1] || d.Close() != nil {
			t.Errorf("Max %d: %d errors, %d frames, Close() = %v; want %d, %d, nil", limit, errs, frames, d.Close(), want[0], want[1])
		}
	}
}

type resyncer struct {
	framing.Splitter
	delim string
}

func (r resyncer) Resync(data []byte) (int, bool) {
	if i := strings.Index(string(data), r.delim); i >= 0 {
		return i + len(r.delim), true
	}
	return max(0, len(data)-len(r.delim)+1), false
}

// A loop that is suspended when Reset comes must not go on, whatever runs since.
func TestDecoderResetUnderASuspendedLoop(t *testing.T) {
	d := framing.NewDecoder(bang{})
	next, stop := iter.Pull2(d.Frames([]byte("a!b!c!" + strings.Repeat("d", 100))))
	defer stop()
	_, _, _ = next()
	d.Reset()
	for f, err := range d.Frames([]byte("x!y!")) {
		if old, _, ok := next(); ok {
			t.Errorf("the old loop goes on with %q", old)
		}
		if got := show(f, err) + string(d.Buffered()); got != "x!y!" && got != "y!" {
			t.Errorf("the new loop has %q", got)
		}
	}
	if d.Offset() != 4 {
		t.Errorf("Offset() = %d; want 4", d.Offset())
	}
}

func TestReaderWriteToLosesNothing(t *testing.T) {
	body := strings.Repeat("0123456789", 10_000)
	r := framing.NewReader(strings.NewReader("head!"+body+"!"), bang{})
	_, _ = r.Next()
	var got strings.Builder
	w := writerFunc(func(p []byte) (int, error) {
		n := min(len(p), 7000)
		got.Write(p[:n])
		return n, io.ErrShortWrite
	})
	for range 100 {
		if _, err := r.WriteTo(w); err == nil {
			break
		}
	}
	if got.String() != body+"!" || r.Offset() != int64(len(body)+6) {
		t.Errorf("%d bytes written in pieces, Offset() = %d; want %d and %d", got.Len(), r.Offset(), len(body)+1, len(body)+6)
	}
}

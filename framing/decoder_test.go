package framing_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

func TestDecoderFrames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		s      framing.Splitter
		pieces []string
		want   []string
		left   string
	}{
		{"nothing", crlf{}, []string{"", ""}, nil, ""},
		{"one", crlf{}, []string{"a\r\n"}, []string{"a\r\n"}, ""},
		{"empty frames", crlf{}, []string{"\r\n\r\n"}, []string{"\r\n", "\r\n"}, ""},
		{"forty in one piece", bang{}, []string{strings.Repeat("!", 40)}, strings.Split(strings.Repeat("!", 40), ""), ""},
		{"half a frame", crlf{}, []string{"a\r"}, nil, "a\r"},
		{"terminator cut", crlf{}, []string{"a\r", "\nb\r\n"}, []string{"a\r\n", "b\r\n"}, ""},
		{"straddle and more", crlf{}, []string{"a", "b\r\nc\r\nd", "", "\r\n"}, []string{"ab\r\n", "c\r\n", "d\r\n"}, ""},
		{"header cut", short{}, []string{"\x00", "\x03a\x00\x02\x00"}, []string{"\x00\x03a", "\x00\x02"}, "\x00"},
		{"body cut", short{}, []string{"\x00\x05a", "b", "c\x00\x02"}, []string{"\x00\x05abc", "\x00\x02"}, ""},
		{"every byte", short{}, strings.Split("\x00\x04ab\x00\x03c", ""), []string{"\x00\x04ab", "\x00\x03c"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := framing.NewDecoder(tt.s)
			if diff := cmp.Diff(tt.want, collect(d, tt.pieces...)); diff != "" {
				t.Errorf("frames of %q (-want +got):\n%s", tt.pieces, diff)
			}
			if got := string(d.Buffered()); got != tt.left {
				t.Errorf("Buffered() = %q; want %q", got, tt.left)
			}
			var want error
			if tt.left != "" {
				want = io.ErrUnexpectedEOF
			}
			for range 2 {
				if err := d.Close(); err != want {
					t.Errorf("Close() = %v; want %v", err, want)
				}
			}
			if got, want := d.Offset(), int64(len(strings.Join(tt.pieces, ""))-len(tt.left)); got != want {
				t.Errorf("Offset() = %d; want %d", got, want)
			}
		})
	}
}

func TestDecoderDoesNotCopyWholeFrames(t *testing.T) {
	p := []byte("ab\r\ncd\r\nef")
	d := framing.NewDecoder(crlf{})
	i := 0
	for f, err := range d.Frames(p) {
		if err != nil || &f[0] != &p[i] || cap(f) != len(f) {
			t.Errorf("frame %q, %v: not a view of the fed slice, or capacity %d", f, err, cap(f))
		}
		i += len(f)
	}
	copy(p, "xxxxxxxxxx")
	if got := string(d.Buffered()); got != "ef" {
		t.Errorf("Buffered() = %q after the fed slice was overwritten; want %q", got, "ef")
	}
}

func TestDecoderBreakKeepsTheRest(t *testing.T) {
	stream := "a\r\nbb\r\nccc\r\ndddd"
	for _, first := range []string{"", "0"} { // the frame lies in the fed slice, or straddles
		d := framing.NewDecoder(crlf{})
		collect(d, first)
		var got []string
		p := []byte(stream)
		for range 10 {
			for f, err := range d.Frames(p) {
				got = append(got, show(f, err))
				break
			}
			for i := range p {
				p[i] = 'x' // the fed slice is the caller's again
			}
			p = nil
		}
		if diff := cmp.Diff([]string{first + "a\r\n", "bb\r\n", "ccc\r\n"}, got); diff != "" {
			t.Errorf("after %q (-want +got):\n%s", first, diff)
		}
		if got := string(d.Buffered()); got != "dddd" {
			t.Errorf("Buffered() = %q; want %q", got, "dddd")
		}
	}
}

func TestDecoderFrameStaysAfterBreak(t *testing.T) {
	d := framing.NewDecoder(crlf{})
	collect(d, "hel")
	var frame []byte
	for f, err := range d.Frames([]byte("lo\r\nwor")) {
		if err != nil {
			t.Error(err)
		}
		frame = f
		break
	}
	if string(frame) != "hello\r\n" {
		t.Errorf("frame is %q after the break", frame)
	}
	if got := string(d.Buffered()); got != "wor" {
		t.Errorf("Buffered() = %q; want %q", got, "wor")
	}
}

func TestDecoderUseInsideTheLoop(t *testing.T) {
	for _, pieces := range [][]string{
		{"go\r\n\x00\x03a\x00\x04bc"},
		strings.Split("go\r\n\x00\x03a\x00\x04bc", ""),
		{"go\r\n\x00", "\x03a\x00\x04bc"},
	} {
		d := framing.NewDecoder(crlf{})
		var got []string
		for _, p := range pieces {
			for f, err := range d.Frames([]byte(p)) {
				if string(f) == "go\r\n" {
					d.Use(short{})
				}
				got = append(got, show(f, err))
			}
		}
		if diff := cmp.Diff([]string{"go\r\n", "\x00\x03a", "\x00\x04bc"}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pieces, diff)
		}
	}
}

func TestDecoderUseInsideAFrame(t *testing.T) {
	d := framing.NewDecoder(crlf{})
	collect(d, "ab!c")
	d.Use(bang{})
	if diff := cmp.Diff([]string{"ab!", "cd!"}, collect(d, "d!")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecoderShowsWhatTheLoopHasNotReached(t *testing.T) {
	d := framing.NewDecoder(crlf{})
	var got []string
	collect(d, "S")
	for f, err := range d.Frames([]byte("TARTTLS\r\ninject\r\nrest")) {
		got = append(got, show(f, err), string(d.Buffered()))
	}
	if diff := cmp.Diff([]string{"STARTTLS\r\n", "inject\r\nrest", "inject\r\n", "rest"}, got); diff != "" {
		t.Errorf("Buffered() inside the loop (-want +got):\n%s", diff)
	}
}

func TestDecoderFedFromItsOwnLoop(t *testing.T) {
	d := framing.NewDecoder(bang{})
	text := func() (v any) {
		defer func() { v = recover() }()
		for outer, err := range d.Frames([]byte("a!b!")) {
			for inner, err := range d.Frames([]byte("c!")) {
				t.Errorf("frame %q, %v inside the loop", inner, err)
			}
			t.Errorf("frame %q, %v: another turn after feeding in the loop", outer, err)
		}
		return nil
	}()
	if s, _ := text.(string); !strings.Contains(s, "inside its own loop") {
		t.Errorf("panic %v; want one that tells of the loop", text)
	}
	d.Reset()
	if diff := cmp.Diff([]string{"d!"}, collect(d, "d!")); diff != "" {
		t.Errorf("after Reset (-want +got):\n%s", diff)
	}
}

func TestDecoderResetInsideTheLoop(t *testing.T) {
	d := framing.NewDecoder(bang{})
	n := 0
	for f, err := range d.Frames([]byte("a!b!c!")) {
		if n++; string(f) != "a!" || err != nil {
			t.Errorf("frame %q, %v", f, err)
		}
		d.Reset()
	}
	if n != 1 || d.Offset() != 0 || len(d.Buffered()) != 0 {
		t.Errorf("%d turns, Offset() = %d, Buffered() = %q; want 1, 0 and nothing", n, d.Offset(), d.Buffered())
	}
	if diff := cmp.Diff([]string{"d!"}, collect(d, "d!")); diff != "" {
		t.Errorf("after the loop (-want +got):\n%s", diff)
	}
}

func TestDecoderErrorIsRemembered(t *testing.T) {
	for _, pieces := range [][]string{{"\x00\x03a\x00\x01zz"}, strings.Split("\x00\x03a\x00\x01", "")} {
		d := framing.NewDecoder(short{})
		want := `error: framing: at byte 3: short of its own header: corrupt frame, begins with "\x00\x01"`
		if diff := cmp.Diff([]string{"\x00\x03a", want}, collect(d, pieces...)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pieces, diff)
		}
		left := string(d.Buffered())
		if !strings.HasPrefix(left, "\x00\x01") {
			t.Errorf("Buffered() = %q; want what begins with the bad frame", left)
		}
		if diff := cmp.Diff([]string{want, want}, collect(d, "\x00\x03b", "")); diff != "" {
			t.Errorf("again (-want +got):\n%s", diff)
		}
		if got := string(d.Buffered()); got != left || d.Offset() != 3 {
			t.Errorf("Buffered() = %q, Offset() = %d; want %q, 3 as before", got, d.Offset(), left)
		}
		if err := d.Close(); !errors.Is(err, framing.ErrCorrupt) {
			t.Errorf("Close() = %v; want ErrCorrupt", err)
		}
	}
}

func TestDecoderNegativeLengthRefuses(t *testing.T) {
	d := framing.NewDecoder(framing.SplitterFunc(func([]byte, int) (int, error) { return -1, nil }))
	for _, err := range d.Frames([]byte("x")) {
		if !errors.Is(err, framing.ErrCorrupt) {
			t.Errorf("error %v; want ErrCorrupt", err)
		}
	}
}

func TestDecoderFixedLength(t *testing.T) {
	d := framing.NewDecoder(framing.SplitterFunc(func([]byte, int) (int, error) { return 3, nil }))
	if got := len(collect(d, strings.Repeat("A", 20), strings.Repeat("A", 16))); got != 12 {
		t.Errorf("%d frames; want 12", got)
	}
}

// lookahead frames end before a change of case: a Splitter that breaks the
// contract, since it must see a byte behind the frame. It may not panic the
// Decoder, nor lose a byte.
func lookahead(data []byte, _ int) (int, error) {
	for i := 1; i < len(data); i++ {
		if (data[i] < 'a') != (data[0] < 'a') {
			return i, nil
		}
	}
	return 0, nil
}

func TestDecoderSurvivesLookahead(t *testing.T) {
	stream := "aaBBBBcDeeeeeeFFgg"
	for _, step := range []int{1, 2, 3, 5, 18} {
		d := framing.NewDecoder(framing.SplitterFunc(lookahead))
		var got bytes.Buffer
		for i := 0; i < len(stream); i += step {
			for f, err := range d.Frames([]byte(stream[i:min(len(stream), i+step)])) {
				if err != nil {
					t.Errorf("in steps of %d: %v", step, err)
				}
				got.Write(f)
			}
		}
		got.Write(d.Buffered())
		if got.String() != stream {
			t.Errorf("in steps of %d: %q; want %q", step, got.String(), stream)
		}
	}
}

package framing_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

// A tooLong is a stream with frames over a Max of 6, and what comes out of it.
type tooLong struct {
	name    string
	s       framing.Splitter
	stream  string
	discard bool
	want    []string
	end     string // what Close says
}

func oversize() []tooLong { return append(refused(), discarded()...) }

func refused() []tooLong {
	return []tooLong{
		{"equal to Max", crlf{}, "abcd\r\n", false, []string{"abcd\r\n"}, ""},
		{
			"no end within Max",
			crlf{},
			"a\r\nbcdefg\r\nh\r\n", false,
			[]string{"a\r\n", `error: framing: at byte 3: frame too long, limit 6, begins with "bcdefg"`},
			`framing: at byte 3: frame too long, limit 6, begins with "bcdefg"`,
		},
		{
			"terminator ends behind Max",
			crlf{},
			"abcde\r\n", false,
			[]string{`error: framing: at byte 0: frame too long, limit 6, begins with "abcde\r"`},
			`framing: at byte 0: frame too long, limit 6, begins with "abcde\r"`,
		},
		{
			"length over Max",
			short{},
			"\x00\x06abcd\x00\x07abcde", false,
			[]string{"\x00\x06abcd", `error: framing: at byte 6: frame too long: 7 bytes, limit 6, begins with "\x00\a"`},
			`framing: at byte 6: frame too long: 7 bytes, limit 6, begins with "\x00\a"`,
		},
	}
}

func discarded() []tooLong {
	return []tooLong{
		{
			"discard delimited",
			crlf{},
			"a\r\nbcdefgh\r\ni\r\n12345678\r9\n\r\n\r\n", true,
			[]string{
				"a\r\n", `error: framing: at byte 3: frame too long, limit 6, begins with "bcdefg"`,
				"i\r\n", `error: framing: at byte 15: frame too long, limit 6, begins with "123456"`, "\r\n",
			},
			"",
		},
		{
			"discard by length",
			short{},
			"\x00\x07abcde\x00\x02\xff\xff" + strings.Repeat("x", 0xfffd) + "\x00\x03a", true,
			[]string{
				`error: framing: at byte 0: frame too long: 7 bytes, limit 6, begins with "\x00\a"`, "\x00\x02",
				`error: framing: at byte 9: frame too long: 65535 bytes, limit 6, begins with "\xff\xff"`, "\x00\x03a",
			},
			"",
		},
		{
			"discard is cut off",
			short{},
			"\x00\x07abcd", true,
			[]string{`error: framing: at byte 0: frame too long: 7 bytes, limit 6, begins with "\x00\a"`},
			"unexpected EOF",
		},
		{
			"discard waits for a terminator",
			crlf{},
			"abcdefg\r", true,
			[]string{`error: framing: at byte 0: frame too long, limit 6, begins with "abcdef"`},
			"unexpected EOF",
		},
		{
			"discard without a way to resync",
			bang{},
			"abcdefg!h!", true,
			[]string{`error: framing: at byte 0: frame too long, limit 6, begins with "abcdef"`},
			`framing: at byte 0: frame too long, limit 6, begins with "abcdef"`,
		},
		{
			"header over Max",
			huge{},
			"\x00\x00\x00\x00\x00\x00\x00\x01a", true,
			[]string{`error: framing: at byte 0: frame too long, limit 6, begins with "\x00\x00\x00\x00\x00\x00"`},
			`framing: at byte 0: frame too long, limit 6, begins with "\x00\x00\x00\x00\x00\x00"`,
		},
		{
			"discard does not forgive corruption",
			short{},
			"\x00\x03a\x00\x01", true,
			[]string{"\x00\x03a", `error: framing: at byte 3: short of its own header: corrupt frame, begins with "\x00\x01"`},
			`framing: at byte 3: short of its own header: corrupt frame, begins with "\x00\x01"`,
		},
	}
}

func TestDecoderOversize(t *testing.T) {
	for _, tt := range oversize() {
		for step := 1; step <= len(tt.stream); step = step*2 + 1 {
			d := framing.NewDecoder(tt.s)
			d.Max, d.Discard = 6, tt.discard
			var got []string
			for i := 0; i < len(tt.stream) && !final(d); i += step {
				got = append(got, collect(d, tt.stream[i:min(len(tt.stream), i+step)])...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, in steps of %d (-want +got):\n%s", tt.name, step, diff)
			}
			end := ""
			if err := d.Close(); err != nil {
				end = err.Error()
			}
			if end != tt.end {
				t.Errorf("%s, in steps of %d: Close() = %q; want %q", tt.name, step, end, tt.end)
			}
		}
	}
}

// final reports whether d has met an error that ends the stream.
func final(d *framing.Decoder) bool {
	var e *framing.Error
	return errors.As(d.Close(), &e)
}

func TestReaderOversize(t *testing.T) {
	for _, tt := range oversize() {
		for step := 1; step <= len(tt.stream); step = step*2 + 1 {
			var steps []any
			for i := 0; i < len(tt.stream); i += step {
				steps = append(steps, tt.stream[i:min(len(tt.stream), i+step)])
			}
			r := framing.NewReader(&script{steps}, tt.s)
			r.Max, r.Discard = 6, tt.discard
			var got []string
			for f, err := range r.All() {
				got = append(got, show(f, err))
			}
			want := tt.want
			if tt.end == "unexpected EOF" {
				want = append(want[:len(want):len(want)], "error: unexpected EOF")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, in steps of %d (-want +got):\n%s", tt.name, step, diff)
			}
		}
	}
}

func TestDiscardOfMoreThanWillEverCome(t *testing.T) {
	d := framing.NewDecoder(huge{})
	d.Discard = true
	n := 0
	for _, p := range []string{"\xff\xff\xff\xff", "\xff\xff\xff\xff", "more", "and more"} {
		for _, err := range d.Frames([]byte(p)) {
			n++
			var e *framing.Error
			if !errors.As(err, &e) || e.Size != math.MaxUint64 || e.Err != framing.ErrTooLong {
				t.Errorf("error %#v; want ErrTooLong with Size 1<<64-1", err)
			}
		}
	}
	if n != 1 || d.Offset() != 20 || len(d.Buffered()) != 0 {
		t.Errorf("%d errors, Offset() = %d, Buffered() = %q; want 1, 20 and nothing", n, d.Offset(), d.Buffered())
	}
}

// clingy is a Resyncer that never lets go of a byte.
type clingy struct{ framing.Splitter }

func (clingy) Resync([]byte) (int, bool) { return 0, false }

func TestDiscardIsBoundedForAnyResyncer(t *testing.T) {
	d := framing.NewDecoder(clingy{bang{}})
	d.Max, d.Discard = 16, true
	for range 100 {
		collect(d, strings.Repeat("x", 100))
	}
	if n := len(d.Buffered()); n > 4096+512 || !errors.Is(d.Close(), framing.ErrTooLong) {
		t.Errorf("%d bytes are kept, Close() = %v; want about 4096 and ErrTooLong", n, d.Close())
	}
}

func TestMaxLoweredInsideAFrame(t *testing.T) {
	d := framing.NewDecoder(bang{})
	collect(d, "abcdef")
	d.Max = 4
	if got := collect(d, "g!"); len(got) != 1 || !errors.Is(d.Close(), framing.ErrTooLong) {
		t.Errorf("%q, Close() = %v; want one error, ErrTooLong", got, d.Close())
	}
}

// Without Use a loop over Frames goes on with the Max that it began with, however
// the stream is cut inside of it.
func TestMaxChangedWithoutUse(t *testing.T) {
	for _, limit := range []int{1, 100} {
		d := framing.NewDecoder(bang{})
		d.Max = 4
		collect(d, "x")
		var got []string
		for f, err := range d.Frames([]byte("y!bc!d!")) {
			d.Max = limit
			got = append(got, show(f, err))
		}
		if diff := cmp.Diff([]string{"xy!", "bc!", "d!"}, got); diff != "" {
			t.Errorf("Max changed to %d (-want +got):\n%s", limit, diff)
		}
		d.Reset()
		if got := collect(d, "e!"); (got[0] == "e!") != (limit == 100) {
			t.Errorf("the next loop, with Max %d, has %q", limit, got)
		}
	}
}

func TestMaxChangedInsideTheLoop(t *testing.T) {
	const stream = "a!bcdefgh!i!"
	for limit, want := range map[int][]string{
		1:   {"a!", `error: framing: at byte 2: frame too long, limit 1, begins with "b"`},
		100: {"a!", "bcdefgh!", "i!"},
	} {
		d := framing.NewDecoder(bang{})
		d.Max = 4
		var got []string
		for f, err := range d.Frames([]byte(stream)) {
			d.Max = limit
			d.Use(bang{})
			got = append(got, show(f, err))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pushed, Max changed to %d (-want +got):\n%s", limit, diff)
		}
		r := framing.NewReader(strings.NewReader(stream), bang{})
		r.Max = 4
		got = nil
		for f, err := range r.All() {
			r.Max = limit
			got = append(got, show(f, err))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pulled, Max changed to %d (-want +got):\n%s", limit, diff)
		}
	}
}

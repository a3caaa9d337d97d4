package framing_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
)

// What is held follows what is in hand, also behind a frame that was larger.
func TestHeldFollowsWhatIsInHand(t *testing.T) {
	const mib = 1 << 20
	x := strings.Repeat("x", 2*mib)
	for name, tt := range map[string]struct {
		max    int
		pieces []string
		most   int
	}{
		"a smaller frame behind a large one": {2 * mib, []string{x[:mib-5], "!" + x[:600<<10]}, 1300 << 10},
		"a frame that nears Max":             {2 * mib, []string{x[:mib-1], x[:mib]}, 2*mib + 16<<10},
		"a final error":                      {100, []string{x[:mib]}, mib + 16<<10},
	} {
		if n := held(func() *framing.Decoder {
			d := framing.NewDecoder(bang{})
			d.Max = tt.max
			collect(d, tt.pieces...)
			return d
		}); n > tt.most {
			t.Errorf("%s: a Decoder holds %d bytes; want at most %d", name, n, tt.most)
		}
	}
	long := x[:mib] + "!" + x[:32<<10+1]
	if n := held(func() *framing.Reader {
		r := framing.NewReader(&script{[]any{long, "y", errLine}}, bang{})
		drain(r, 1)
		return r
	}); n > 160<<10 {
		t.Errorf("a Reader with 32 KiB in hand holds %d bytes; want at most 160 KiB", n)
	}
}

// Breaking after each frame leaves nothing behind but what was not cut.
func TestHeldAfterBreaks(t *testing.T) {
	stream := []byte(strings.Repeat("abcdefghi!", 4<<10) + "rest")
	n := held(func() *framing.Decoder {
		d := framing.NewDecoder(bang{})
		for p, more := stream, true; more; p = nil {
			more = false
			for _, err := range d.Frames(p) {
				more = err == nil
				break
			}
			if string(d.Buffered()) == "rest" {
				break
			}
		}
		return d
	})
	if n > 2<<10 {
		t.Errorf("a Decoder with 4 bytes in hand holds %d", n)
	}
}

// Looking for the end of an oversize frame takes no memory, however it comes.
func TestSkippingDoesNotAllocate(t *testing.T) {
	d := framing.NewDecoder(resyncer{bang{}, "\r\n\r\n"})
	d.Max, d.Discard = 8, true
	collect(d, "0123456789")
	p := []byte("\r")
	if n := testing.AllocsPerRun(1000, func() {
		for f, err := range d.Frames(p) {
			t.Fatalf("%q, %v inside the oversize frame", f, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for each byte that is skipped; want none", n)
	}
}

func TestASizeAloneIsTooLong(t *testing.T) {
	s := framing.SplitterFunc(func([]byte, int) (int, error) { return 0, &framing.Error{Size: 9} })
	d := framing.NewDecoder(s)
	want := `error: framing: at byte 0: frame too long: 9 bytes, begins with "x"`
	if got := collect(d, "x"); len(got) != 1 || got[0] != want {
		t.Errorf("%q; want %q", got, want)
	}
}

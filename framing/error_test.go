package framing_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
)

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  framing.Error
		want string
	}{
		{
			framing.Error{Size: 1195725860, Max: framing.DefaultMax, Head: "GET ", Err: framing.ErrTooLong},
			`framing: at byte 0: frame too long: 1195725860 bytes, limit 2097152, begins with "GET " (this looks like HTTP)`,
		},
		{
			framing.Error{Offset: 12, Size: 369295616, Max: 4096, Head: "\x16\x03\x01\x02", Err: framing.ErrTooLong},
			`framing: at byte 12: frame too long: 369295616 bytes, limit 4096, begins with "\x16\x03\x01\x02" (this looks like TLS)`,
		},
		{
			framing.Error{Offset: 3, Err: errShort},
			`framing: at byte 3: short of its own header: corrupt frame`,
		},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %s\nwant %s", got, tt.want)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	e := &framing.Error{Err: errShort}
	if !errors.Is(e, framing.ErrCorrupt) || errors.Is(e, framing.ErrTooLong) {
		t.Errorf("errors.Is(%v): ErrCorrupt %v, ErrTooLong %v; want true, false", e,
			errors.Is(e, framing.ErrCorrupt), errors.Is(e, framing.ErrTooLong))
	}
}

// A Splitter's own error is final and reaches the caller as it is.
func TestErrorOfASplitter(t *testing.T) {
	s := framing.SplitterFunc(func(data []byte, _ int) (int, error) {
		if len(data) < 3 {
			return 0, nil
		}
		return 0, io.ErrClosedPipe
	})
	for _, pieces := range [][]string{{"abcdef"}, {"a", "b", "c", "def"}} {
		d := framing.NewDecoder(s)
		d.Discard = true
		collect(d, pieces...)
		var e *framing.Error
		if err := d.Close(); !errors.As(err, &e) || e.Err != io.ErrClosedPipe || e.Head != "abc" || e.Max != 0 {
			t.Errorf("%q: %v; want the Splitter's error and the 3 bytes that decided", pieces, err)
		}
	}
}

func TestErrorKeepsTheSplittersWords(t *testing.T) {
	s := framing.SplitterFunc(func([]byte, int) (int, error) {
		return 0, fmt.Errorf("control frame: %w", &framing.Error{Size: 300, Err: framing.ErrTooLong})
	})
	d := framing.NewDecoder(s)
	var e *framing.Error
	collect(d, "x")
	if err := d.Close(); !errors.As(err, &e) || e.Size != 300 || e.Max != 0 || !strings.Contains(err.Error(), "control frame") {
		t.Errorf("%v, %+v; want the Splitter's words, Size 300, and no Max, for it is not broken", err, e)
	}
}

func TestErrorLooksLike(t *testing.T) {
	for head, want := range map[string]string{
		"GET": "HTTP", "GET /": "HTTP", "PRI * HT": "HTTP/2", "SSH": "SSH", "\x16\x03\x01": "TLS", "\x16\x03": "TLS",
		"GE": "", "": "", "abcd": "", "\x16": "",
	} {
		e := framing.Error{Head: head, Err: framing.ErrTooLong}
		text := e.Error()
		if _, got, _ := strings.Cut(text, "looks like "); strings.TrimSuffix(got, ")") != want {
			t.Errorf("%q: %s; want it to look like %q", head, text, want)
		}
	}
}

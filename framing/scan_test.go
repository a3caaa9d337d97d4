package framing_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/plait-go/plait/framing"
)

// A Scanner knows no place in the stream, so no error may tell one.
func TestSplitFuncTellsNoPlace(t *testing.T) {
	s := bufio.NewScanner(strings.NewReader("\xff\xff\xff\xff\xff\xff\xff\xff"))
	s.Split(framing.SplitFunc(huge{}))
	if s.Scan() || !errors.Is(s.Err(), framing.ErrTooLong) || strings.Contains(s.Err().Error(), "at byte") {
		t.Errorf("error %v; want ErrTooLong without a place", s.Err())
	}
}

func TestSplitFunc(t *testing.T) {
	for _, tt := range []struct {
		name   string
		s      framing.Splitter
		stream string
		want   []string
		err    error
	}{
		{"empty", crlf{}, "", nil, nil},
		{"lines", crlf{}, "a\r\n\r\nb\r\n", []string{"a\r\n", "\r\n", "b\r\n"}, nil},
		{"cut off", crlf{}, "a\r\nb", []string{"a\r\n"}, io.ErrUnexpectedEOF},
		{"header only", short{}, "\x00\x03a\x00\x04", []string{"\x00\x03a"}, io.ErrUnexpectedEOF},
		{"corrupt", short{}, "\x00\x03a\x00\x00\x00\x02", []string{"\x00\x03a"}, framing.ErrCorrupt},
		{"refused", framing.SplitterFunc(func([]byte, int) (int, error) { return -1, nil }), "x", nil, framing.ErrCorrupt},
		{"over the Scanner's limit", bang{}, strings.Repeat("x", 300) + "!", nil, bufio.ErrTooLong},
	} {
		for _, rd := range []io.Reader{strings.NewReader(tt.stream), iotest.OneByteReader(strings.NewReader(tt.stream))} {
			s := bufio.NewScanner(rd)
			s.Buffer(make([]byte, 4), 200)
			s.Split(framing.SplitFunc(tt.s))
			var got []string
			for s.Scan() {
				got = append(got, s.Text())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(s.Err(), tt.err) {
				t.Errorf("%s: error %v; want %v (-want +got):\n%s", tt.name, s.Err(), tt.err, diff)
			}
		}
	}
}

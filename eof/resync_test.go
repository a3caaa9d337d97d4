package eof_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

func TestResync(t *testing.T) {
	for _, tt := range []struct {
		delims []string
		data   string
		skip   int
		done   bool
	}{
		{[]string{"\n"}, "abc", 3, false},
		{[]string{"\n"}, "a\nb\n", 2, true},
		{[]string{"\r\n"}, "abc", 2, false},
		{[]string{"\r\n"}, "a", 0, false},
		{[]string{"\r\n\r\n"}, "ab", 0, false},
		{[]string{"\r\n\r\n"}, "a\r\n\r", 1, false},
		{[]string{"\n", "\r\n"}, "abc\r", 4, false},
		{[]string{";", "END"}, "abcE", 2, false},
		{[]string{"bcd", "c"}, "ab", 2, false},
	} {
		skip, done := newCodec(t, tt.delims...).Resync([]byte(tt.data))
		if skip != tt.skip || done != tt.done {
			t.Errorf("New(%q): Resync(%q) = %d, %v; want %d, %v", tt.delims, tt.data, skip, done, tt.skip, tt.done)
		}
	}
}

// checkResync throws away the first frame of every word, however it is cut, and
// expects to stop where Split does.
func checkResync(t *testing.T, c framing.Resyncer, delims ...string) {
	t.Helper()
	longest := 0
	for _, d := range delims {
		longest = max(longest, len(d))
	}
	for s := range words("ab", 1, 6) {
		want, _ := naiveEnd(s, delims...)
		for mask := range cuttings(s) {
			if got := discard(t, c, longest-1, pieces(s, mask)); got != want {
				t.Fatalf("delimiters %q, pieces %q: threw away %d; want %d", delims, pieces(s, mask), got, want)
			}
		}
	}
}

// discard returns how many bytes c throws away to get to a boundary, or 0 if it
// finds none. At most keep bytes may be left over from a call.
func discard(t *testing.T, c framing.Resyncer, keep int, pieces []string) (gone int) {
	t.Helper()
	var data []byte
	for _, p := range pieces {
		data = append(data, p...)
		skip, done := c.Resync(data)
		if skip < 0 || skip > len(data) || !done && len(data)-skip > keep {
			t.Fatalf("Resync(%q) = %d, %v; may leave %d bytes", data, skip, done, keep)
		}
		gone += skip
		if done {
			return gone
		}
		data = data[skip:]
	}
	return 0
}

func TestResyncAll(t *testing.T) {
	for d := range words("ab", 1, 3) {
		checkResync(t, newCodec(t, d), d)
		checkResync(t, newBatch(t, d).(framing.Resyncer), d)
		for e := range words("ab", 1, 3) {
			checkResync(t, newCodec(t, d, e), d, e)
		}
	}
	checkResync(t, newCodec(t, "abab"), "abab")
}

// A long frame and every place to cut it in two.
func TestResyncCut(t *testing.T) {
	for _, delims := range [][]string{{"\n"}, {"\r\n"}, {"\r\n\r\n"}, {strings.Repeat("x", 20) + "y"}, {";;", "\r\n.\r\n"}} {
		c := newCodec(t, delims...)
		s := "xx\r\r\n.\rxx;\r" + strings.Repeat("x", 200) + "\r" + delims[len(delims)-1] + "next" + delims[0]
		want, _ := naiveEnd(s, delims...)
		for cut := range len(s) {
			if got := discard(t, c, 20, []string{s[:cut], s[cut:]}); got != want {
				t.Errorf("New(%q), cut at %d: threw away %d; want %d", delims, cut, got, want)
			}
		}
	}
	if got := discard(t, eof.Lines(), 0, []string{"abc\r", "\nd"}); got != 5 {
		t.Errorf("Lines: threw away %d; want 5", got)
	}
}

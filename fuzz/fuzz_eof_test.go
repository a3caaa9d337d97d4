package fuzz_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

// FuzzOracleEOF: delimiters end frames where the plainest search finds them.
// Empty delimiters count for none; fold makes letters of all bytes, so that they
// meet.
func FuzzOracleEOF(f *testing.F) {
	for _, s := range []struct{ first, second, third, data string }{
		{"\n", "", "", "a\n\nb"},
		{"\r\n", "", "", "\r\r\n\n\r\nx\r"},
		{"\r\n", "\n", "", "a\r\nb\n\r\r\n"},
		{"\r\n\r\n", "", "", "\r\n\r\n\r\n\r\n\r"},
		{"aab", "", "", "aaabaab"},
		{"aa", "", "", "aaaaa"},
		{"abab", "bb", "", "aababababbb"},
		{"bcd", "c", "", "abcdabcd"},
		{"c", "bc", "abc", "xabcc"},
		{"ab", "b", "aab", "aabbab"},
		{";", "\x00", "END", strings.Repeat("1234567;", 40) + "END"},
		{strings.Repeat("x", 254) + "y", "", "", strings.Repeat("x", 600) + "y"},
		{"--boundary--", "\r\n.\r\n", "", "text\r\n.\r\n--boundary----boundary-"},
		{"aa", "", "", strings.Repeat("a", 514)},
		{"\r\n\r\n", "", "", strings.Repeat("\r\n", 300) + "\r"},
		{"b", "", "", strings.Repeat("a", 200) + "b"},
		{"ab", "", "", strings.Repeat("b", 200) + "ab"},
	} {
		for _, fold := range []bool{false, true} {
			f.Add([]byte(s.first), []byte(s.second), []byte(s.third), []byte(s.data), fold)
		}
	}
	f.Fuzz(func(t *testing.T, first, second, third, data []byte, fold bool) {
		if fold {
			s := setup{letters: "ab", habits: folds}
			first, second, third, data = s.fold(first), s.fold(second), s.fold(third), s.fold(data)
		}
		delims := slices.DeleteFunc([]string{string(first), string(second), string(third)}, func(d string) bool { return d == "" })
		if len(delims) == 0 || len(data) > 10*smallStream || slices.ContainsFunc(delims, func(d string) bool { return len(d) > 255 }) {
			return
		}
		c, err := eof.New(delims[0], delims[1:]...)
		if err != nil {
			t.Fatalf("New(%q) = %v", delims, err)
		}
		b := bounds{delims, data, naiveBounds(delims, data)}
		check(t, b.split(c), b.standard(), b.resync(c), b.batch())
	})
}

// bounds are where the frames of data end.
type bounds struct {
	delims []string
	data   []byte
	ends   []int
}

func naiveBounds(delims []string, data []byte) (ends []int) {
	start := 0
	o := endsWith(delims...)
	for n := 1; n <= len(data); n++ {
		if o(data[start:n]).size > 0 {
			start = n
			ends = append(ends, n)
		}
	}
	return ends
}

// split: Split finds the ends, and Payload the longest delimiter.
func (b bounds) split(c *eof.Codec) string {
	start := 0
	for _, end := range append(b.ends, 0) {
		n, err := c.Split(b.data[start:], 0)
		if n != max(0, end-start) || err != nil {
			return fmt.Sprintf("New(%q): Split(%q, 0) = %d, %v; want %d, nil", b.delims, b.data[start:], n, err, max(0, end-start))
		}
		tail := 0
		for _, d := range b.delims {
			if bytes.HasSuffix(b.data[start:start+n], []byte(d)) {
				tail = max(tail, len(d))
			}
		}
		if got := c.Payload(b.data[start : start+n]); len(got) != n-tail || cap(got) != len(got) {
			return fmt.Sprintf("New(%q): Payload(%q) = %q, capacity %d; want %d bytes less", b.delims, b.data[start:start+n], got, cap(got), tail)
		}
		start += n
	}
	return ""
}

// standard: the frames of one delimiter are those of bytes.SplitAfterSeq.
func (b bounds) standard() string {
	if len(b.delims) > 1 {
		return ""
	}
	end, i := 0, 0
	for part := range bytes.SplitAfterSeq(b.data, []byte(b.delims[0])) {
		end += len(part)
		if !bytes.HasSuffix(part, []byte(b.delims[0])) {
			break
		}
		if i == len(b.ends) || b.ends[i] != end {
			return fmt.Sprintf("the ends are %d, of which bytes.SplitAfterSeq has not %d", b.ends, end)
		}
		i++
	}
	return ""
}

// resync: Resync goes to the first end, or leaves what may begin a delimiter.
func (b bounds) resync(c *eof.Codec) string {
	skip, done := c.Resync(b.data)
	if done != (len(b.ends) > 0) || done && skip != b.ends[0] || skip < 0 || skip > len(b.data) {
		return fmt.Sprintf("New(%q): Resync(%q) = %d, %v; want the first of %d", b.delims, b.data, skip, done, b.ends)
	}
	if done {
		return ""
	}
	for _, d := range b.delims {
		for k := 1; k < len(d); k++ {
			if !bytes.HasSuffix(b.data, []byte(d[:k])) {
				continue
			}
			whole := append(bytes.Clone(b.data), d[k:]...)
			ends := naiveBounds(b.delims, whole)
			next, ok := c.Resync(whole[skip:])
			if !ok || skip+next != ends[0] {
				return fmt.Sprintf("New(%q): Resync(%q) = %d, then Resync(%q) = %d, %v; want %d in all", b.delims, b.data, skip, whole[skip:], next, ok, ends[0])
			}
		}
	}
	return ""
}

// batch: a batch of one delimiter ends with the last whole frame, wherever Split
// was asked before in vain.
func (b bounds) batch() string {
	s, err := eof.Batch(b.delims[0])
	if err != nil {
		return fmt.Sprintf("Batch(%q) = %v", b.delims[0], err)
	}
	ends := append([]int{0}, naiveBounds(b.delims[:1], b.data)...)
	most := len(b.data)
	if len(ends) > 1 {
		most = ends[1] - 1
	}
	var batches []byte
	d := framing.NewDecoder(s)
	for chunk := range chunks(b.data, []byte{3, 50}) {
		for frame, err := range d.Frames(chunk) {
			if err != nil {
				return fmt.Sprintf("Batch(%q) in pieces of %q: %v", b.delims[0], b.data, err)
			}
			batches = append(batches, frame...)
		}
	}
	if last := ends[len(ends)-1]; !bytes.Equal(batches, b.data[:last]) || !bytes.Equal(d.Buffered(), b.data[last:]) {
		return fmt.Sprintf("Batch(%q) in pieces: %q and %q; want %d and %d bytes of %q", b.delims[0], batches, d.Buffered(), last, len(b.data)-last, b.data)
	}
	for _, seen := range []int{0, most / 2, most} {
		if n, err := s.Split(b.data, seen); n != ends[len(ends)-1] || err != nil {
			return fmt.Sprintf("Batch(%q): Split(%q, %d) = %d, %v; want the last of %d", b.delims[0], b.data, seen, n, err, ends)
		}
	}
	return ""
}

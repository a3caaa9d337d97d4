package eof_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plait-go/plait/eof"
)

func TestBatchRefuses(t *testing.T) {
	for _, delim := range []string{"", strings.Repeat("x", 256)} {
		if b, err := eof.Batch(delim); b != nil || err == nil {
			t.Errorf("Batch(%q) = %v, %v; want an error", delim, b, err)
		}
	}
}

func TestBatch(t *testing.T) {
	for _, tt := range []struct {
		delim, data string
		want        int
	}{
		{"\r\n", "a\r\nb", 3},
		{"\r\n", "a\r\nb\r\n", 6},
		{"\r\n", "a\r\nb\r\n\r", 6},
		{"\r\n", "ab\r", 0},
		{"\n", "\n\n\nx", 3},
		{"aa", "aaa", 2},
		{"aa", "aaaa", 4},
		{"aa", "aaabaa", 6},
		{"\r\n\r\n", "a\r\n\r\n\r\n", 5},
		{"\r\n\r\n", "a\r\n\r\n\r\n\r\n", 9},
		{"aba", "ababab", 3},
		{"aba", "abababa", 7},
	} {
		if n, err := newBatch(t, tt.delim).Split([]byte(tt.data), 0); n != tt.want || err != nil {
			t.Errorf("Batch(%q): Split(%q, 0) = %d, %v; want %d, nil", tt.delim, tt.data, n, err, tt.want)
		}
	}
}

// checkBatch compares Batch with New over a stream in pieces: the same bytes
// delivered, the same left over, and a frame's end at each batch's end.
func checkBatch(t *testing.T, delim string, pieces []string) {
	t.Helper()
	frames, rest := split(t, newCodec(t, delim), pieces...)
	batches, left := split(t, newBatch(t, delim), pieces...)
	if left != rest || strings.Join(batches, "") != strings.Join(frames, "") {
		t.Fatalf("delimiter %q, pieces %q: batches %q and %q; want %q and %q", delim, pieces, batches, left, frames, rest)
	}
	for _, b := range batches {
		n := 0
		for n < len(frames) && b != "" {
			b = strings.TrimPrefix(b, frames[n])
			n++
		}
		if b != "" || n == 0 {
			t.Fatalf("delimiter %q, pieces %q: batches %q; want whole ones of %q", delim, pieces, batches, frames)
		}
		frames = frames[n:]
	}
}

func TestBatchAll(t *testing.T) {
	for d := range words("ab", 1, 3) {
		for s := range words("ab", 1, 6) {
			for mask := range cuttings(s) {
				checkBatch(t, d, pieces(s, mask))
			}
		}
	}
	for _, d := range []string{"aaaa", "abab", "abba", "aabaa"} {
		for s := range words("ab", 8, 12) {
			checkBatch(t, d, []string{s})
			checkBatch(t, d, strings.Split(s, ""))
		}
	}
}

// One call takes all that is whole, and fed byte by byte, a batch is a frame.
func TestBatchExtremes(t *testing.T) {
	for d := range words("ab", 1, 3) {
		for s := range words("ab", 1, 8) {
			frames, _ := split(t, newCodec(t, d), s)
			if got, _ := split(t, newBatch(t, d), s); len(got) > 1 {
				t.Fatalf("Batch(%q), stream %q: %q; want at most one batch", d, s, got)
			}
			if got, _ := split(t, newBatch(t, d), strings.Split(s, "")...); !slices.Equal(got, frames) {
				t.Fatalf("Batch(%q), stream %q in bytes: %q; want %q", d, s, got, frames)
			}
		}
	}
}

// Streams longer than what Batch looks at in one step, tails without a
// delimiter, and delimiters that overlap for longer than that.
func TestBatchFar(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	delims := []string{"\n", "aa", "aba", "\r\n\r\n", "abababab", strings.Repeat("a", 255), strings.Repeat("ab", 127)}
	for _, d := range delims {
		for range 60 {
			var b strings.Builder
			for range 1 + r.IntN(6) {
				switch r.IntN(4) {
				case 0:
					b.WriteString(strings.Repeat("-", r.IntN(900)))
				case 1:
					b.WriteString(strings.Repeat(d, r.IntN(1+900/len(d))))
				case 2:
					b.WriteString(d[:r.IntN(len(d))])
				case 3:
					b.WriteString(noise(r, d, r.IntN(300)))
				}
			}
			s := b.String() + d
			cut := r.IntN(len(s))
			checkBatch(t, d, []string{s})
			checkBatch(t, d, []string{s[:len(s)-1]})
			checkBatch(t, d, []string{s[:cut], s[cut:]})
			checkBatch(t, d, []string{s[:cut/2], s[cut/2 : cut], s[cut:]})
		}
	}
}

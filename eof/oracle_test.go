package eof_test

import (
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

// naiveEnd is what Split ought to find: the first byte at which s ends with one
// of delims, and the length of the longest that does.
func naiveEnd(s string, delims ...string) (n, tail int) {
	for n = 1; n <= len(s); n++ {
		for _, d := range delims {
			if strings.HasSuffix(s[:n], d) {
				tail = max(tail, len(d))
			}
		}
		if tail > 0 {
			return n, tail
		}
	}
	return 0, 0
}

// words yields every string over alphabet of lo to hi bytes.
func words(alphabet string, lo, hi int) iter.Seq[string] {
	return func(yield func(string) bool) {
		level := []string{""}
		for size := 0; size <= hi; size++ {
			var next []string
			for _, w := range level {
				if size >= lo && !yield(w) {
					return
				}
				for i := range len(alphabet) {
					next = append(next, w+alphabet[i:i+1])
				}
			}
			level = next
		}
	}
}

// noise returns n bytes drawn from alphabet.
func noise(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// newCodec is New for delimiters that are in order.
func newCodec(tb testing.TB, delims ...string) *eof.Codec {
	tb.Helper()
	c, err := eof.New(delims[0], delims[1:]...)
	if err != nil {
		tb.Fatalf("New(%q) = %v", delims, err)
	}
	return c
}

// newBatch is Batch for a delimiter that is in order.
func newBatch(tb testing.TB, delim string) framing.Splitter {
	tb.Helper()
	b, err := eof.Batch(delim)
	if err != nil {
		tb.Fatalf("Batch(%q) = %v", delim, err)
	}
	return b
}

// split runs s over a stream that arrives in pieces, as a decoder would, and
// returns the frames and what is left over.
func split(tb testing.TB, s framing.Splitter, pieces ...string) (frames []string, rest string) {
	tb.Helper()
	var data []byte
	seen := 0
	for _, p := range pieces {
		data = append(data, p...)
		for len(data) > seen {
			n, err := s.Split(data, seen)
			if err != nil || n < 0 || n > len(data) {
				tb.Fatalf("Split(%q, %d) = %d, %v", data, seen, n, err)
			}
			if n == 0 {
				seen = len(data)
				break
			}
			frames = append(frames, string(data[:n]))
			data, seen = data[n:], 0
		}
	}
	return frames, string(data)
}

// pieces cuts s behind each byte whose bit in mask is set.
func pieces(s string, mask int) (out []string) {
	start := 0
	for i := 1; i < len(s); i++ {
		if mask>>(i-1)&1 == 1 {
			out = append(out, s[start:i])
			start = i
		}
	}
	return append(out, s[start:])
}

// cuttings is how many ways there are to cut s.
func cuttings(s string) int { return 1 << max(0, len(s)-1) }

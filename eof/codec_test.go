package eof_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

var (
	_ framing.Splitter = (*eof.Codec)(nil)
	_ framing.Resyncer = (*eof.Codec)(nil)
	_ framing.Appender = (*eof.Codec)(nil)
)

func TestNewRefuses(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, tt := range []struct {
		delims []string
		want   string
	}{
		{[]string{""}, "eof: delimiter 1 of 1 is empty"},
		{[]string{"a", "", "b"}, "eof: delimiter 2 of 3 is empty"},
		{[]string{long}, "eof: delimiter 1 of 1 is 256 bytes long, limit 255"},
		{[]string{"a", long}, "eof: delimiter 2 of 2 is 256 bytes long, limit 255"},
	} {
		c, err := eof.New(tt.delims[0], tt.delims[1:]...)
		if c != nil || err == nil || err.Error() != tt.want {
			t.Errorf("New(%q) = %v, %v; want nil, %s", tt.delims, c, err, tt.want)
		}
	}
	if c, err := eof.Any(""); c != nil || err == nil {
		t.Errorf("Any(%q) = %v, %v; want an error", "", c, err)
	}
}

func TestSplit(t *testing.T) {
	long := strings.Repeat("x", 254) + "y"
	for _, tt := range []struct {
		delims []string
		data   string
		want   int
	}{
		{[]string{"\n"}, "a\nb\n", 2},
		{[]string{"\n"}, "\n\n", 1},
		{[]string{"\n"}, "abc", 0},
		{[]string{"\r\n"}, "\r\n\r\n", 2},
		{[]string{"\r\n"}, "a\nb\r\n", 5},
		{[]string{"\r\n"}, "\n\r\n", 3},
		{[]string{"\r\n"}, "\r\r\n", 3},
		{[]string{"\r\n"}, "ab\r", 0},
		{[]string{"aa"}, "aaa", 2},
		{[]string{"aab"}, "aaab", 4},
		{[]string{"\r\n\r\n"}, "a\r\n\r\n\r\n\r\n", 5},
		{[]string{long}, long[:100] + long + "z", 355},
		{[]string{"bcd", "c"}, "abcd", 3},
		{[]string{"c", "bcd"}, "abcd", 3},
		{[]string{"\n", "\r\n"}, "a\r\n", 3},
		{[]string{";", "\x00"}, "ab\x00c;", 3},
		{[]string{"END", ";"}, "abEND;", 5},
		{[]string{"END", ";"}, "a;END", 2},
		{[]string{"\xff", "\xfe"}, "ab\xfe", 3},
	} {
		if n, err := newCodec(t, tt.delims...).Split([]byte(tt.data), 0); n != tt.want || err != nil {
			t.Errorf("New(%q): Split(%q, 0) = %d, %v; want %d, nil", tt.delims, tt.data, n, err, tt.want)
		}
	}
}

// checkSplit compares Split with naiveEnd, for every seen that may occur, and
// Payload with it where there is a frame.
func checkSplit(t *testing.T, c *eof.Codec, s string, delims ...string) {
	t.Helper()
	want, tail := naiveEnd(s, delims...)
	most := len(s)
	if want > 0 {
		most = want - 1
	}
	for seen := range most + 1 {
		if n, err := c.Split([]byte(s), seen); n != want || err != nil {
			t.Fatalf("delimiters %q: Split(%q, %d) = %d, %v; want %d, nil", delims, s, seen, n, err, want)
		}
	}
	if got := string(c.Payload([]byte(s[:want]))); got != s[:want-tail] {
		t.Fatalf("delimiters %q: Payload(%q) = %q; want %q", delims, s[:want], got, s[:want-tail])
	}
}

func TestSplitOneOfAll(t *testing.T) {
	for _, tt := range []struct {
		alphabet string
		size     int
	}{{"ab", 10}, {"abc", 6}} {
		for d := range words(tt.alphabet, 1, 3) {
			c := newCodec(t, d)
			for s := range words(tt.alphabet, 1, tt.size) {
				checkSplit(t, c, s, d)
			}
		}
	}
}

func TestSplitTwoOfAll(t *testing.T) {
	for d := range words("ab", 1, 3) {
		for e := range words("ab", 1, 3) {
			c := newCodec(t, d, e)
			for s := range words("ab", 1, 7) {
				checkSplit(t, c, s, d, e)
			}
		}
	}
}

// Delimiters around the places where a search changes its ways: block limits,
// and long runs of the delimiter's last byte.
func TestSplitFar(t *testing.T) {
	for _, delims := range [][]string{{"\n"}, {"\r\n"}, {"ab"}, {"aab"}, {"abab", "bb;"}, {";", "aab"}, {";", "!"}, {"xb", "yyb", "zzzb"}} {
		c := newCodec(t, delims...)
		for _, fill := range []string{"b", "-", "\n", "ba"} {
			for size := range 420 {
				s := strings.Repeat(fill, size)[:size] + delims[size%len(delims)] + delims[0]
				want, _ := naiveEnd(s, delims...)
				for _, seen := range []int{0, max(0, want-1), max(0, want-4), want / 2} {
					if n, err := c.Split([]byte(s), seen); n != want || err != nil {
						t.Fatalf("delimiters %q: Split(%q, %d) = %d, %v; want %d, nil", delims, s, seen, n, err, want)
					}
				}
			}
		}
	}
}

func TestSplitNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		delims := make([]string, 1+r.IntN(3))
		for i := range delims {
			delims[i] = noise(r, "ab", 1+r.IntN(12))
		}
		s := noise(r, "ab", 1+r.IntN(600))
		want, _ := naiveEnd(s, delims...)
		seen := 0
		if want > 0 {
			seen = r.IntN(want)
		}
		if n, err := newCodec(t, delims...).Split([]byte(s), seen); n != want || err != nil {
			t.Fatalf("delimiters %q: Split(%q, %d) = %d, %v; want %d, nil", delims, s, seen, n, err, want)
		}
	}
}

func TestAny(t *testing.T) {
	for _, set := range []string{"a", "ab", "ba", "aa", "abc", "\u00e9"} {
		c, err := eof.Any(set)
		if err != nil {
			t.Fatalf("Any(%q) = %v", set, err)
		}
		delims := make([]string, len(set))
		for i := range delims {
			delims[i] = set[i : i+1]
		}
		for s := range words("ad\xa9", 1, 5) {
			checkSplit(t, c, s, delims...)
		}
		frame, err := c.AppendFrame(nil, []byte("x"))
		if want := "x" + delims[0]; string(frame) != want || err != nil {
			t.Errorf("Any(%q): AppendFrame(nil, \"x\") = %q, %v; want %q, nil", set, frame, err, want)
		}
	}
}

func TestLines(t *testing.T) {
	for s := range words("a\r\n", 1, 7) {
		checkSplit(t, eof.Lines(), s, "\n", "\r\n")
	}
}

// A delimiter that is absent, and many frames in hand: were all of the stream
// searched for it once a frame, this would not end in time.
func TestSplitManyFrames(t *testing.T) {
	const count = 4 << 20
	c := newCodec(t, "c;", "\x00")
	data := bytes.Repeat([]byte("abc;"), count)
	for i := range count {
		if n, err := c.Split(data, 0); n != 4 || err != nil {
			t.Fatalf("frame %d: Split(data, 0) = %d, %v; want 4, nil", i, n, err)
		}
		data = data[4:]
	}
}

// The bytes that were seen are not looked at again, which shows when a delimiter
// is hidden there.
func TestSplitResumes(t *testing.T) {
	for _, delims := range [][]string{{";"}, {"!;"}, {"END"}, {";", "!"}, {";;", "END"}} {
		hidden := "x" + delims[0] + "xxxx"
		data := hidden + strings.Repeat("x", 600) + delims[0]
		if n, err := newCodec(t, delims...).Split([]byte(data), len(hidden)); n != len(data) || err != nil {
			t.Errorf("New(%q): Split(%q, %d) = %d, %v; want %d, nil", delims, data, len(hidden), n, err, len(data))
		}
		tail := data[:len(data)-len(delims[0])]
		if n, err := newBatch(t, delims[0]).Split([]byte(tail), len(hidden)); n != 0 || err != nil {
			t.Errorf("Batch(%q): Split(%q, %d) = %d, %v; want 0, nil", delims[0], tail, len(hidden), n, err)
		}
	}
}

func TestPayload(t *testing.T) {
	for _, tt := range []struct {
		delims      []string
		frame, want string
	}{
		{[]string{"\r\n"}, "a\r\n", "a"},
		{[]string{"\r\n"}, "\r\n", ""},
		{[]string{"\r\n"}, "a\n", "a\n"},
		{[]string{"\r\n"}, "", ""},
		{[]string{"\n"}, "a\r\n", "a\r"},
		{[]string{"\n", "\r\n"}, "a\r\r\n", "a\r"},
		{[]string{"\r\n", "\n"}, "a\n", "a"},
		{[]string{"b", "ab", "aab"}, "xaab", "x"},
	} {
		frame := []byte(tt.frame + "next")[:len(tt.frame)]
		got := newCodec(t, tt.delims...).Payload(frame)
		if string(got) != tt.want || cap(got) != len(got) {
			t.Errorf("New(%q): Payload(%q) = %q with capacity %d; want %q with %d",
				tt.delims, tt.frame, got, cap(got), tt.want, len(tt.want))
		}
	}
}

func TestAllocations(t *testing.T) {
	data := []byte(strings.Repeat("0123456789b", 30) + "\r\n\r\n;")
	dst := make([]byte, 0, 64)
	payload := []byte("payload")
	batch := newBatch(t, "\r\n\r\n")
	for _, c := range []*eof.Codec{
		newCodec(t, "\n"), newCodec(t, "\r\n"), newCodec(t, "\r\n\r\n"), newCodec(t, "ab;", "\r\n\r\n"), newCodec(t, ";", "\n"), eof.Lines(),
	} {
		allocs := testing.AllocsPerRun(20, func() {
			n, _ := c.Split(data, 0)
			c.Payload(data[:n])
			c.Resync(data)
			_, _ = c.AppendFrame(dst, payload)
			_, _ = batch.Split(data, 0)
		})
		if allocs != 0 {
			t.Errorf("%v allocations; want 0", allocs)
		}
	}
}

func TestShared(t *testing.T) {
	c := newCodec(t, "\r\n\r\n", ";;", "\n")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			frames, _ := split(t, c, "a;;b\nc", "\r\n\r", "\nd")
			if want := []string{"a;;", "b\n", "c\r\n", "\r\n"}; !slices.Equal(frames, want) {
				t.Errorf("frames %q; want %q", frames, want)
			}
		})
	}
	wg.Wait()
}

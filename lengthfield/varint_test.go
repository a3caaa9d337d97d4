package lengthfield_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

func newVarint(t *testing.T, offset, max int) (minimal, padded *lengthfield.Codec) {
	t.Helper()
	minimal, err := lengthfield.Varint(offset, max)
	if err != nil {
		t.Fatalf("Varint(%d, %d) = %v; want a Codec", offset, max, err)
	}
	padded, err = lengthfield.PaddedVarint(offset, max)
	if err != nil {
		t.Fatalf("PaddedVarint(%d, %d) = %v; want a Codec", offset, max, err)
	}
	return minimal, padded
}

const (
	runsOn     = "runs on after"
	overflows  = "overflows 64 bits"
	notMinimal = "not the shortest"
)

func TestVarintSplit(t *testing.T) {
	nine := strings.Repeat("\xff", 9)
	for _, tt := range []struct {
		offset, max int
		data        string
		want        answer
		text        string // in the error
	}{
		{1, 4, "\xc0", answer{}, ""},
		{1, 4, "\xc0\x00", answer{n: 2}, ""},
		{1, 4, "\xc0\x00\x30", answer{n: 2}, ""},
		{1, 4, "\x30\x7f", answer{n: 129}, ""},
		{1, 4, "\x30\x80", answer{}, ""},
		{1, 4, "\x30\x80\x01", answer{n: 131}, ""},
		{1, 4, "\x30\xff\x7f", answer{n: 3 + 16383}, ""},
		{1, 4, "\x30\x80\x80\x01", answer{n: 4 + 16384}, ""},
		{1, 4, "\x30\xff\xff\xff\x7f", answer{n: 5 + 268435455}, ""},
		{1, 4, "\x30\xff\xff\xff", answer{}, ""},
		{1, 4, "\x30\xff\xff\xff\xff", corrupt(), runsOn + " 4 bytes"},
		{1, 4, "\x30\x80\x80\x80\x80\x01", corrupt(), runsOn + " 4 bytes"},
		{1, 4, "\x30\x80\x00", corrupt(), "varint of 2 bytes is " + notMinimal},
		{1, 4, "\x30\xff\x80\x80\x00", corrupt(), "varint of 4 bytes is " + notMinimal},
		{0, 1, "\x7f", answer{n: 128}, ""},
		{0, 1, "\x80", corrupt(), runsOn + " 1 bytes"},
		{0, 5, "\xff\xff\xff\xff\x0f", sized(5 + math.MaxUint32), ""},
		{0, 10, nine, answer{}, ""},
		{0, 10, nine + "\x00", corrupt(), notMinimal},
		{0, 10, nine + "\x01", sized(math.MaxUint64), ""}, // saturated
		{0, 10, nine + "\x02", corrupt(), overflows},
		{0, 10, nine + "\x7f", corrupt(), overflows},
		{0, 10, nine + "\x80", corrupt(), runsOn + " 10 bytes"},
		{0, 10, "\xf7\xff\xff\xff\xff\xff\xff\xff\xff\x01", sized(math.MaxUint64), ""},
		{0, 10, "\xf5\xff\xff\xff\xff\xff\xff\xff\xff\x01", sized(math.MaxUint64), ""},
		{0, 10, "\xf4\xff\xff\xff\xff\xff\xff\xff\xff\x01", sized(math.MaxUint64 - 1), ""},
		{0, 10, "\xf6\xff\xff\xff\xff\xff\xff\xff\x7f", sized(9 + math.MaxInt64 - 9), ""},
		{0, 10, "\xf7\xff\xff\xff\xff\xff\xff\xff\x7f", sized(9 + math.MaxInt64 - 8), ""},
	} {
		minimal, padded := newVarint(t, tt.offset, tt.max)
		tt.want.check(t, minimal, []byte(tt.data), 0)
		_, err := minimal.Split([]byte(tt.data), 0)
		if tt.text != "" && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("Split(% x) = %v; want %q in it", tt.data, err, tt.text)
		}
		if !strings.Contains(tt.text, notMinimal) {
			tt.want.check(t, padded, []byte(tt.data), 0)
		}
	}
}

func TestPaddedVarintSplit(t *testing.T) {
	for _, tt := range []struct {
		max             int
		header, payload string
	}{
		{2, "\x80\x00", ""},
		{5, "\x85\x80\x80\x80\x00", "hello"},
		{10, "\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", "x"},
	} {
		_, c := newVarint(t, 0, tt.max)
		frame := []byte(tt.header + tt.payload)
		answer{n: len(frame)}.check(t, c, frame, 0)
		answer{}.check(t, c, frame[:len(tt.header)-1], 0)
		if got := c.Payload(frame); string(got) != tt.payload {
			t.Errorf("Payload(% x) = %q; want %q", frame, got, tt.payload)
		}
	}
}

func TestVarintPayload(t *testing.T) {
	c, _ := newVarint(t, 1, 2)
	for _, tt := range []struct {
		frame string
		want  []byte
	}{
		{"", nil},
		{"0", nil},
		{"0\x80", nil},
		{"0\x80\x80", nil},
		{"0\x80\x00", nil},
		{"0\x00", []byte{}},
		{"0\x02hi", []byte("hi")},
		{"0\x80\x01hi", []byte("hi")},
	} {
		got := c.Payload([]byte(tt.frame))
		if !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("Payload(% x) = %#v; want %#v", tt.frame, got, tt.want)
		}
	}
}

func TestVarintSeen(t *testing.T) {
	minimal, padded := newVarint(t, 2, 3)
	stream := []byte("ab\xff\xff\x01 and more")
	for _, c := range []*lengthfield.Codec{minimal, padded} {
		for size := range len(stream) + 1 {
			want := answer{}
			if size >= 5 {
				want.n = 5 + 1<<15 - 1
			}
			for seen := range size + 1 {
				want.check(t, c, stream[:size:size], seen)
			}
		}
	}
}

// uvarint is the answer that encoding/binary gives for the bytes behind offset.
func uvarint(data []byte, max int, padded bool) answer {
	v, width := binary.Uvarint(data)
	switch {
	case width == 0 && len(data) < max:
		return answer{}
	case width <= 0 || width > max:
		return corrupt()
	case !padded && width != len(binary.AppendUvarint(nil, v)):
		return corrupt()
	case v > math.MaxUint64-uint64(width):
		return answer{err: framing.ErrTooLong, size: math.MaxUint64}
	}
	return sized(uint64(width) + v)
}

func TestVarintAgreesWithBinary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		max := 1 + r.IntN(10)
		minimal, padded := newVarint(t, 0, max)
		data := make([]byte, r.IntN(13))
		for i := range data {
			const edges = "\x00\x01\x02\x7f\x80\x80\x80\xff\xff\xff"
			data[i] = byte(r.Uint32())
			if r.IntN(2) == 0 {
				data[i] = edges[r.IntN(len(edges))]
			}
			if i < max-1 && r.IntN(8) > 0 {
				data[i] |= 0x80
			}
		}
		uvarint(data, max, false).check(t, minimal, data, 0)
		uvarint(data, max, true).check(t, padded, data, 0)
	}
}

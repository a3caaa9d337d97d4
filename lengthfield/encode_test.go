package lengthfield_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

func TestAppendFrame(t *testing.T) {
	for _, tt := range []struct {
		format  lengthfield.Format
		payload string
		want    string
	}{
		{lengthfield.Format{Type: 'N', Body: 4}, "", "\x00\x00\x00\x00"},
		{lengthfield.Format{Type: 'N', Body: 4}, "hello", "\x00\x00\x00\x05hello"},
		{lengthfield.Format{Type: 'V'}, "hello", "\x09\x00\x00\x00hello"},
		{lengthfield.Format{Type: 'n', Offset: 2, Body: -3}, "hello", "\x00\x00\x00\x0chello"},
		{lengthfield.Format{Type: 'v', Body: 2}, "hello", "\x05\x00hello"},
		{lengthfield.Format{Type: 'C', Body: 6}, "hello", "\x00hello"},
		{lengthfield.Format{Type: 't', Body: 9}, "123456hello", "\x00\x00\x05123456hello"},
		{lengthfield.Format{Type: 'T', Offset: 1, Body: 4}, "hello", "\x00\x05\x00\x00hello"},
		{lengthfield.Format{Type: 'J', Body: 8}, "hello", "\x00\x00\x00\x00\x00\x00\x00\x05hello"},
		{lengthfield.Format{Type: 'P', Body: 8}, "hello", "\x05\x00\x00\x00\x00\x00\x00\x00hello"},
		{lengthfield.Format{Type: 'N', Offset: 3, Body: 8}, "hello\xce", "\x00\x00\x00\x00\x00\x00\x05hello\xce"},
	} {
		c := newCodec(t, tt.format)
		for _, dst := range [][]byte{nil, []byte("before"), dirty(6, 7), dirty(6, 64)} {
			want := string(dst) + tt.want
			got, err := c.AppendFrame(dst, []byte(tt.payload))
			if string(got) != want || err != nil {
				t.Errorf("%+v: AppendFrame(%q, %q) = % x, %v; want % x", tt.format, dst, tt.payload, got, err, want)
			}
		}
	}
}

// dirty returns n bytes with room for more, and no byte of it is zero.
func dirty(n, room int) []byte { return bytes.Repeat([]byte{0xa5}, room)[:n] }

// untouched reports whether append gave back what dirty(n, room) returned.
func untouched(got, dst []byte) bool {
	whole := dst[:cap(dst)]
	return len(got) == len(dst) && cap(got) == cap(dst) && &got[0] == &dst[0] &&
		bytes.Equal(whole, dirty(len(whole), len(whole)))
}

func TestAppendFrameErrors(t *testing.T) {
	varint, _ := newVarint(t, 1, 1)
	for _, tt := range []struct {
		codec *lengthfield.Codec
		size  int
		want  error
		text  string
	}{
		{newCodec(t, lengthfield.Format{Type: 'C', Body: 1}), 256, framing.ErrTooLong, "257 bytes have length 256, the greatest is 255"},
		{newCodec(t, lengthfield.Format{Type: 'c', Body: 1}), 128, framing.ErrTooLong, "129 bytes have length 128, the greatest is 127"},
		{newCodec(t, lengthfield.Format{Type: 'C'}), 255, framing.ErrTooLong, "256 bytes have length 256"},
		{newCodec(t, lengthfield.Format{Type: 'C', Body: -4}), 251, framing.ErrTooLong, "252 bytes have length 256"},
		{newCodec(t, lengthfield.Format{Type: 'n', Body: 2}), 65536, framing.ErrTooLong, "65538 bytes have length 65536"},
		{newCodec(t, lengthfield.Format{Type: 'S', Body: 2}), 65536, framing.ErrTooLong, ""},
		{newCodec(t, lengthfield.Format{Type: 's', Body: 2}), 32768, framing.ErrTooLong, ""},
		{newCodec(t, lengthfield.Format{Type: 'N', Body: 8}), 3, framing.ErrCorrupt, "7 bytes, Body counts 8"},
		{varint, 128, framing.ErrTooLong, "128 bytes behind a varint of at most 1"},
	} {
		payload := make([]byte, tt.size)
		dst := dirty(3, 1<<17)
		got, err := tt.codec.AppendFrame(dst, payload)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("AppendFrame of %d bytes = %v; want %v with %q", tt.size, err, tt.want, tt.text)
		}
		if !untouched(got, dst) {
			t.Errorf("AppendFrame of %d bytes changed dst", tt.size)
		}
		if got, err := tt.codec.AppendFrame(nil, payload); got != nil || err == nil {
			t.Errorf("AppendFrame(nil, %d bytes) = %d bytes, %v; want nil and an error", tt.size, len(got), err)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	varint, padded := newVarint(t, 1, 4)
	for _, tt := range []struct {
		codec  *lengthfield.Codec
		header string
		n      int
		want   string
	}{
		{newCodec(t, lengthfield.Format{Type: 'N', Body: 4}), "????", 5, "\x00\x00\x00\x05"},
		{newCodec(t, lengthfield.Format{Type: 'N', Offset: 1, Body: 1}), "Q????", 9, "Q\x00\x00\x00\x0d"},
		{newCodec(t, lengthfield.Format{Type: 'v', Offset: 2, Body: 2}), "ab??cd", 1, "ab\x05\x00cd"},
		{newCodec(t, lengthfield.Format{Type: 't', Body: 9}), "\xff\xff\xff\x06\x00\x00\x00\x00\x00", 8, "\x00\x00\x08\x06\x00\x00\x00\x00\x00"},
		{newCodec(t, lengthfield.Format{Type: 'C', Body: 1}), "?", 0, "\x00"},
		{varint, "0", 0, "0\x00"},
		{varint, "0", 127, "0\x7f"},
		{varint, "0ab", 126, "0\x80\x01ab"},
		{padded, "0", 268435455, "0\xff\xff\xff\x7f"},
	} {
		for _, dst := range [][]byte{nil, []byte("before"), dirty(6, 64)} {
			header := []byte(tt.header)
			want := string(dst) + tt.want
			got, err := tt.codec.AppendHeader(dst, header, tt.n)
			if string(got) != want || err != nil {
				t.Errorf("AppendHeader(%q, %q, %d) = % x, %v; want % x", dst, tt.header, tt.n, got, err, want)
			}
			if string(header) != tt.header {
				t.Errorf("AppendHeader changed the header %q to %q", tt.header, header)
			}
		}
	}
}

func TestAppendHeaderErrors(t *testing.T) {
	fixed := newCodec(t, lengthfield.Format{Type: 'n', Offset: 1, Body: 3})
	varint, _ := newVarint(t, 1, 4)
	for _, tt := range []struct {
		codec  *lengthfield.Codec
		header string
		n      int
		want   error // nil for any
		text   string
	}{
		{fixed, "a?", 1, nil, "header of 2 bytes, 3 needed"},
		{fixed, "", 1, nil, "header of 0 bytes, 3 needed"},
		{fixed, "a??", -1, nil, "-1 bytes"},
		{fixed, "a??", math.MinInt, nil, "bytes"},
		{fixed, "a??", 65536, framing.ErrTooLong, "65536"},
		{fixed, "a??b", 65535, framing.ErrTooLong, "65536"},
		{fixed, "a??", math.MaxInt, framing.ErrTooLong, ""},
		{newCodec(t, lengthfield.Format{Type: 'n', Body: 4}), "??b", 0, framing.ErrCorrupt, "3 bytes, Body counts 4"},
		{varint, "", 1, nil, "header of 0 bytes, 1 needed"},
		{varint, "a", -1, nil, "-1 bytes"},
		{varint, "a", 268435456, framing.ErrTooLong, "268435456 bytes behind a varint of at most 4"},
		{varint, "ab", 268435455, framing.ErrTooLong, "268435456 bytes"},
	} {
		dst := dirty(3, 64)
		got, err := tt.codec.AppendHeader(dst, []byte(tt.header), tt.n)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("AppendHeader(%q, %d) = %v; want %v with %q", tt.header, tt.n, err, tt.want, tt.text)
		}
		if !untouched(got, dst) {
			t.Errorf("AppendHeader(%q, %d) changed dst", tt.header, tt.n)
		}
	}
}

// What AppendHeader writes, Split reads, up to the last length that the type and
// int hold; and what it refuses cannot be written.
func TestAppendHeaderLimits(t *testing.T) {
	for _, k := range codes() {
		for _, body := range []int{0, 1, k.width, k.width + 7, -1, -100} {
			f := lengthfield.Format{Type: k.name, Offset: 2, Body: body}
			c := newCodec(t, f)
			header := bytes.Repeat([]byte{0xff}, 2+k.width+3)
			for _, at := range append(edges(f, k), plus(k.most(), body-len(header)), big.NewInt(math.MaxInt)) {
				for d := -8; d <= 8; d++ {
					n := plus(at, d)
					if n.Sign() < 0 || n.Cmp(big.NewInt(math.MaxInt)) > 0 {
						continue
					}
					checkHeader(t, c, k, body, header, int(n.Int64()))
				}
			}
		}
	}
}

func checkHeader(t *testing.T, c *lengthfield.Codec, k code, body int, header []byte, n int) {
	t.Helper()
	total := plus(big.NewInt(int64(n)), len(header))
	length := plus(total, -body)
	var want error
	switch {
	case length.Sign() < 0:
		want = framing.ErrCorrupt
	case length.Cmp(k.most()) > 0 || total.Cmp(big.NewInt(math.MaxInt)) > 0:
		want = framing.ErrTooLong
	}
	got, err := c.AppendHeader(nil, header, n)
	if !errors.Is(err, want) {
		t.Fatalf("%q, Body %d: AppendHeader(% x, %d) = % x, %v; want %v", k.name, body, header, n, got, err, want)
	}
	if err == nil {
		answer{n: len(header) + n}.check(t, c, got, 0)
	}
}

// What AppendFrame writes, Split and Payload read, and so do they after a second
// frame has followed.
func TestRoundTrip(t *testing.T) {
	minimal, padded := newVarint(t, 2, 3)
	codecs := []*lengthfield.Codec{minimal, padded}
	for _, k := range codes() {
		for _, body := range []int{0, 3, k.width, -2} {
			codecs = append(codecs, newCodec(t, lengthfield.Format{Type: k.name, Offset: 1, Body: body}))
		}
	}
	for _, c := range codecs {
		for _, size := range []int{2, 3, 100, 120, 127, 128, 129, 200, 250, 253, 254, 255, 256, 257, 32760, 32767, 32768, 65530, 65535, 65536} {
			payload := bytes.Repeat([]byte{'p'}, size)
			frame, err := c.AppendFrame(nil, payload)
			if errors.Is(err, framing.ErrTooLong) {
				continue // limits have their own test
			}
			if err != nil {
				t.Fatalf("AppendFrame of %d bytes = %v", size, err)
			}
			stream, err := c.AppendFrame(frame, payload)
			if err != nil {
				t.Fatalf("AppendFrame of %d bytes, again = %v", size, err)
			}
			answer{n: len(frame)}.check(t, c, stream, 0)
			if got := c.Payload(stream[:len(frame)]); !bytes.Equal(got, payload) {
				t.Fatalf("Payload(% x) = % x; want % x", frame, got, payload)
			}
		}
	}
}

func TestVarintHeaderLimits(t *testing.T) {
	const offset = 3
	for width := 1; width <= 10; width++ {
		c, _ := newVarint(t, offset, width)
		for _, at := range []*big.Int{
			big.NewInt(0), big.NewInt(128), new(big.Int).Lsh(big.NewInt(1), uint(7*width)), big.NewInt(math.MaxInt),
		} {
			for d := -20; d <= 20; d++ {
				n := plus(at, d)
				if n.Sign() < 0 || n.Cmp(big.NewInt(math.MaxInt)) > 0 {
					continue
				}
				checkVarint(t, c, width, offset, int(n.Int64()))
			}
		}
	}
}

func checkVarint(t *testing.T, c *lengthfield.Codec, max, offset, n int) {
	t.Helper()
	width := 1
	for v := n; v >= 0x80; v >>= 7 {
		width++
	}
	var want error
	if width > max || n > math.MaxInt-width-offset {
		want = framing.ErrTooLong
	}
	got, err := c.AppendHeader(nil, []byte("abc"), n)
	if !errors.Is(err, want) || err == nil && len(got) != offset+width {
		t.Fatalf("Varint(%d, %d): AppendHeader(%d) = % x, %v; want %d bytes, %v", offset, max, n, got, err, offset+width, want)
	}
	if err == nil {
		answer{n: offset + width + n}.check(t, c, got, 0)
	}
}

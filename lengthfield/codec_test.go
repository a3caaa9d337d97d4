package lengthfield_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

var (
	_ framing.Splitter = (*lengthfield.Codec)(nil)
	_ framing.Appender = (*lengthfield.Codec)(nil)
)

// host turns bytes in big endian order into those of this machine.
func host(big string) string {
	if littleHost() {
		return reversed(big)
	}
	return big
}

func littleHost() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

func reversed(s string) string {
	b := make([]byte, 0, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		b = append(b, s[i])
	}
	return string(b)
}

func newCodec(t *testing.T, f lengthfield.Format) *lengthfield.Codec {
	t.Helper()
	c, err := lengthfield.New(f)
	if err != nil {
		t.Fatalf("New(%+v) = %v; want a Codec", f, err)
	}
	return c
}

// An answer is what Split says of some bytes: n, or an error that is err, with
// the Size of the frame if it is ErrTooLong.
type answer struct {
	n    int
	err  error
	size uint64
}

// sized is the answer for a frame of total bytes, which int may not hold.
func sized(total uint64) answer {
	if total > math.MaxInt {
		return answer{err: framing.ErrTooLong, size: total}
	}
	return answer{n: int(total)}
}

func (want answer) check(t *testing.T, s framing.Splitter, data []byte, seen int) {
	t.Helper()
	n, err := s.Split(data, seen)
	if n != want.n || !errors.Is(err, want.err) {
		t.Fatalf("Split(% x) = %d, %v; want %d, %v", data, n, err, want.n, want.err)
	}
	var e *framing.Error
	if size := uint64(0); errors.As(err, &e) {
		if size = e.Size; size != want.size {
			t.Fatalf("Split(% x) has Size %d; want %d", data, size, want.size)
		}
	} else if want.size != 0 {
		t.Fatalf("Split(% x) = %d, %v; want a *framing.Error", data, n, err)
	}
}

func corrupt() answer { return answer{err: framing.ErrCorrupt} }

func TestSplitTypes(t *testing.T) {
	for _, tt := range []struct {
		types string
		field string
		want  answer
	}{
		{"cC", "\x00", sized(1)},
		{"cC", "\x01", sized(2)},
		{"cC", "\x7f", sized(128)},
		{"c", "\x80", corrupt()},
		{"c", "\xff", corrupt()},
		{"C", "\x80", sized(129)},
		{"C", "\xff", sized(256)},

		{"n", "\x01\x02", sized(2 + 0x0102)},
		{"v", "\x01\x02", sized(2 + 0x0201)},
		{"sS", host("\x01\x02"), sized(2 + 0x0102)},
		{"s", host("\x7f\xff"), sized(2 + 0x7fff)},
		{"s", host("\x80\x00"), corrupt()},
		{"nS", "\xff\xff", sized(2 + 0xffff)},
		{"v", "\x00\xff", sized(2 + 0xff00)},

		{"t", "\x01\x02\x03", sized(3 + 0x010203)},
		{"T", "\x01\x02\x03", sized(3 + 0x030201)},
		{"tT", "\xff\xff\xff", sized(3 + 0xffffff)},

		{"N", "\x01\x02\x03\x04", sized(4 + 0x01020304)},
		{"V", "\x01\x02\x03\x04", sized(4 + 0x04030201)},
		{"lLiI", host("\x01\x02\x03\x04"), sized(4 + 0x01020304)},
		{"li", host("\x7f\xff\xff\xff"), sized(4 + 0x7fffffff)},
		{"li", host("\x80\x00\x00\x00"), corrupt()},
		{"LINV", "\xff\xff\xff\xff", sized(4 + 0xffffffff)},
		{"N", "\x80\x00\x00\x00", sized(4 + 0x80000000)},
		{"V", "\x00\x00\x00\x80", sized(4 + 0x80000000)},

		{"J", "\x01\x02\x03\x04\x05\x06\x07\x08", sized(8 + 0x0102030405060708)},
		{"P", "\x01\x02\x03\x04\x05\x06\x07\x08", sized(8 + 0x0807060504030201)},
		{"qQ", host("\x01\x02\x03\x04\x05\x06\x07\x08"), sized(8 + 0x0102030405060708)},
		{"q", host("\x80\x00\x00\x00\x00\x00\x00\x00"), corrupt()},
		{"Q", host("\x80\x00\x00\x00\x00\x00\x00\x00"), sized(8 + 1<<63)},
		{"q", host("\x7f\xff\xff\xff\xff\xff\xff\xff"), sized(8 + math.MaxInt64)},
		{"J", "\x7f\xff\xff\xff\xff\xff\xff\xf8", sized(8 + math.MaxInt64 - 7)},
		{"P", "\xf7\xff\xff\xff\xff\xff\xff\x7f", sized(8 + math.MaxInt64 - 8)},
		{"J", "\x80\x00\x00\x00\x00\x00\x00\x00", sized(8 + 1<<63)},
		{"P", "\x00\x00\x00\x00\x00\x00\x00\x80", sized(8 + 1<<63)},
		{"JPQ", "\xff\xff\xff\xff\xff\xff\xff\xff", sized(math.MaxUint64)}, // saturated
	} {
		for _, code := range []byte(tt.types) {
			c := newCodec(t, lengthfield.Format{Type: code, Body: len(tt.field)})
			tt.want.check(t, c, []byte(tt.field), 0)
			tt.want.check(t, c, []byte(tt.field+"message"), 0)
		}
	}
}

// The text has the numbers that decided.
func TestSplitErrorText(t *testing.T) {
	for _, tt := range []struct {
		format lengthfield.Format
		data   string
		want   string
	}{
		{lengthfield.Format{Type: 'c', Body: 1}, "\xff", "length -1 is negative"},
		{lengthfield.Format{Type: 's', Body: 2}, host("\x80\x00"), "length -32768 is negative"},
		{lengthfield.Format{Type: 'l', Body: 4}, host("\xff\xff\xff\xfe"), "length -2 is negative"},
		{lengthfield.Format{Type: 'q', Body: 8}, host("\x80\x00\x00\x00\x00\x00\x00\x00"), "length -9223372036854775808 is negative"},
		{lengthfield.Format{Type: 'N'}, "\x00\x00\x00\x03", "length 3 makes a frame of 3 bytes, its header has 4"},
		{lengthfield.Format{Type: 'n', Offset: 1, Body: -9}, "\x00\x00\x05", "length 5 makes a frame of -4 bytes, its header has 3"},
		{lengthfield.Format{Type: 'J'}, "\x80\x00\x00\x00\x00\x00\x00\x00", "9223372036854775808 bytes"},
	} {
		_, err := newCodec(t, tt.format).Split([]byte(tt.data), 0)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: Split(% x) = %v; want %q in it", tt.format, tt.data, err, tt.want)
		}
	}
}

// However the stream is cut and whatever seen is, the answer is the same from
// the end of the field on, and is 0 before.
func TestSplitSeen(t *testing.T) {
	for _, tt := range []struct {
		format lengthfield.Format
		frame  string
	}{
		{lengthfield.Format{Type: 'N', Body: 4}, "\x00\x00\x00\x05hello"},
		{lengthfield.Format{Type: 'N', Offset: 3, Body: 8}, "\x01\x00\x07\x00\x00\x00\x05hello\xce"},
		{lengthfield.Format{Type: 'v', Offset: 1, Body: 3}, "k\x05\x00hello"},
		{lengthfield.Format{Type: 'J', Body: 8}, "\x00\x00\x00\x00\x00\x00\x00\x05hello"},
		{lengthfield.Format{Type: 'c', Body: 1}, "\x00"},
	} {
		c := newCodec(t, tt.format)
		stream := []byte(tt.frame + "\xff\xff next")
		head := len(tt.frame) - len(c.Payload([]byte(tt.frame)))
		for size := range len(stream) + 1 {
			want := answer{}
			if size >= head {
				want = answer{n: len(tt.frame)}
			}
			for seen := range size + 1 {
				want.check(t, c, stream[:size:size], seen)
			}
		}
	}
}

func TestPayload(t *testing.T) {
	c := newCodec(t, lengthfield.Format{Type: 'n', Offset: 1, Body: 3})
	for _, tt := range []struct{ frame, want []byte }{
		{nil, nil},
		{[]byte("k\x00"), nil},
		{[]byte("k\x00\x00"), []byte{}},
		{[]byte("k\x00\x02hi"), []byte("hi")},
	} {
		got := c.Payload(tt.frame)
		if !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("Payload(% x) = %#v; want %#v", tt.frame, got, tt.want)
		}
	}
}

func TestPayloadIsCut(t *testing.T) {
	padded, err := lengthfield.PaddedVarint(1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*lengthfield.Codec{newCodec(t, lengthfield.Format{Type: 'n', Offset: 1, Body: 3}), padded} {
		stream := []byte("k\x82\x00hi next")
		p := c.Payload(stream[:5])
		if string(p) != "hi" || cap(p) != len(p) {
			t.Errorf("Payload(% x) = %q with cap %d; want %q with cap 2", stream[:5], p, cap(p), "hi")
		}
		_ = append(p, "XX"...)
		if string(stream) != "k\x82\x00hi next" {
			t.Errorf("append to the payload changed the stream to %q", stream)
		}
	}
}

func TestZeroCodec(t *testing.T) {
	var c lengthfield.Codec
	if n, err := c.Split([]byte("\x00\x00\x00\x00"), 0); n != 0 || err == nil {
		t.Errorf("Split = %d, %v; want 0 and an error", n, err)
	}
	if dst, err := c.AppendFrame(nil, []byte("x")); dst != nil || err == nil {
		t.Errorf("AppendFrame = %q, %v; want nil and an error", dst, err)
	}
	if dst, err := c.AppendHeader(nil, nil, 1); dst != nil || err == nil {
		t.Errorf("AppendHeader = %q, %v; want nil and an error", dst, err)
	}
}

func TestConcurrent(t *testing.T) {
	c := newCodec(t, lengthfield.Format{Type: 'N', Body: 4})
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Go(func() {
			message := strings.Repeat("x", id)
			for range 100 {
				frame, err := c.AppendFrame(nil, []byte(message))
				n, _ := c.Split(frame, 0)
				if got := c.Payload(frame); err != nil || n != len(frame) || string(got) != message {
					t.Errorf("Payload(% x) = %q, %v, Split %d; want %q", frame, got, err, n, message)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAllocs(t *testing.T) {
	varint, err := lengthfield.Varint(1, 4)
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 200)
	header := make([]byte, 8)
	dst := make([]byte, 0, 1024)
	for _, c := range []*lengthfield.Codec{newCodec(t, lengthfield.Format{Type: 'T', Offset: 2, Body: 5}), varint} {
		frame, err := c.AppendFrame(nil, payload)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]func(){
			"Split":        func() { _, _ = c.Split(frame, 0) },
			"Payload":      func() { _ = c.Payload(frame) },
			"AppendFrame":  func() { _, _ = c.AppendFrame(dst, payload) },
			"AppendHeader": func() { _, _ = c.AppendHeader(dst, header, 200) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s allocates %v times; want 0", name, n)
			}
		}
	}
}

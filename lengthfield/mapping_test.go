package lengthfield_test

import (
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// Frames of well-known protocols, each followed by a byte of the next one.
func TestSplitProtocols(t *testing.T) {
	for _, tt := range []struct {
		name   string
		format lengthfield.Format
		frame  string
	}{
		{"DNS over TCP", lengthfield.Format{Type: 'n', Body: 2}, "\x00\x0cqueryresults"},
		{"PostgreSQL", lengthfield.Format{Type: 'N', Offset: 1, Body: 1}, "Q\x00\x00\x00\x0dSELECT 1\x00"},
		{"PostgreSQL sync", lengthfield.Format{Type: 'N', Offset: 1, Body: 1}, "S\x00\x00\x00\x04"},
		{"PostgreSQL SSLRequest", lengthfield.Format{Type: 'N'}, "\x00\x00\x00\x08\x04\xd2\x16\x2f"},
		{"MySQL", lengthfield.Format{Type: 'T', Body: 4}, "\x01\x00\x00\x00\x0e"},
		{"HTTP/2 ping", lengthfield.Format{Type: 't', Body: 9}, "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678"},
		{"HTTP/2 settings", lengthfield.Format{Type: 't', Body: 9}, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		{"AMQP heartbeat", lengthfield.Format{Type: 'N', Offset: 3, Body: 8}, "\x08\x00\x00\x00\x00\x00\x00\xce"},
		{"AMQP body", lengthfield.Format{Type: 'N', Offset: 3, Body: 8}, "\x03\x00\x01\x00\x00\x00\x02hi\xce"},
		{"TLS alert", lengthfield.Format{Type: 'n', Offset: 3, Body: 5}, "\x15\x03\x03\x00\x02\x01\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCodec(t, tt.format)
			answer{n: len(tt.frame)}.check(t, c, []byte(tt.frame+"\xff"), 0)
		})
	}
}

func TestSplitSwoole(t *testing.T) {
	for _, tt := range []struct {
		format lengthfield.Format
		data   string
		want   answer
	}{
		{lengthfield.Format{Type: 'n'}, "\x00\x02", answer{n: 2}},
		{lengthfield.Format{Type: 'n'}, "\x00\x05abc", answer{n: 5}},
		{lengthfield.Format{Type: 'l', Body: 4}, "\xff\xff\xff\xff", corrupt()},
		{lengthfield.Format{Type: 'N', Body: 4}, "\x7f\xff\xff\xff", sized(4 + 0x7fffffff)},
		{lengthfield.Format{Type: 'N', Body: 4}, "\x00\x00\x00\x00", answer{n: 4}},
		{lengthfield.Format{Type: 'N'}, "\x00\x00\x00\x00", corrupt()},
		{lengthfield.Format{Type: 'N'}, "\x00\x00\x00\x02", corrupt()},
		// A header of twelve bytes whose length counts from the ninth.
		{lengthfield.Format{Type: 'N', Offset: 8, Body: 8}, "12345678\x00\x00\x00\x06hi", answer{n: 14}},
		{lengthfield.Format{Type: 'N', Offset: 8, Body: 8}, "12345678\x00\x00\x00\x03", corrupt()},
		{lengthfield.Format{Type: 'N', Offset: 4, Body: 12}, "1234\x00\x00\x00\x025678hi", answer{n: 14}},
	} {
		tt.want.check(t, newCodec(t, tt.format), []byte(tt.data), 0)
	}
}

// bigEndian names the Type of a field of width bytes, as the package comment
// does.
func bigEndian(width int) byte { return ".CntN...J"[width] }

// A nettyParams is how LengthFieldBasedFrameDecoder is told its format.
type nettyParams struct {
	lengthFieldOffset, lengthFieldLength, lengthAdjustment, initialBytesToStrip int
}

func (p nettyParams) format() lengthfield.Format {
	return lengthfield.Format{
		Type:   bigEndian(p.lengthFieldLength),
		Offset: p.lengthFieldOffset,
		Body:   p.lengthFieldOffset + p.lengthFieldLength + p.lengthAdjustment,
	}
}

// split is the decoder's arithmetic: how long the frame is, unless it is corrupt.
func (p nettyParams) split(length int) (frame int, ok bool) {
	end := p.lengthFieldOffset + p.lengthFieldLength
	frame = length + p.lengthAdjustment + end
	return frame, frame >= end
}

// A tokioParams is how LengthDelimitedCodec is told its format; numSkip is -1
// where that is not set.
type tokioParams struct {
	lengthFieldOffset, lengthFieldLength, lengthAdjustment, numSkip int
}

func (p tokioParams) skip() int {
	if p.numSkip < 0 {
		return p.lengthFieldOffset + p.lengthFieldLength
	}
	return p.numSkip
}

func (p tokioParams) format() lengthfield.Format {
	return lengthfield.Format{
		Type:   bigEndian(p.lengthFieldLength),
		Offset: p.lengthFieldOffset,
		Body:   p.skip() + p.lengthAdjustment,
	}
}

// split is the codec's arithmetic: it skips what is to be skipped, and then takes
// length + adjustment bytes.
func (p tokioParams) split(length int) (frame int, ok bool) {
	taken := length + p.lengthAdjustment
	return p.skip() + taken, taken >= 0
}

// The same message in all shapes that the parameters can express.
func TestNewNetty(t *testing.T) {
	for _, tt := range []struct {
		params nettyParams
		frame  string
		seen   string
	}{
		{nettyParams{0, 2, 0, 0}, "\x00\x07message", "\x00\x07message"},
		{nettyParams{0, 2, 0, 2}, "\x00\x07message", "message"},
		{nettyParams{0, 2, -2, 0}, "\x00\x09message", "\x00\x09message"},
		{nettyParams{2, 3, 0, 0}, "ab\x00\x00\x07message", "ab\x00\x00\x07message"},
		{nettyParams{0, 3, 2, 0}, "\x00\x00\x07abmessage", "\x00\x00\x07abmessage"},
		{nettyParams{1, 2, 1, 3}, "a\x00\x07bmessage", "bmessage"},
		{nettyParams{1, 2, -3, 3}, "a\x00\x0bbmessage", "bmessage"},
		{nettyParams{1, 1, 4, 2}, "a\x07messagecrc!", "messagecrc!"},
	} {
		f := tt.params.format()
		c := newCodec(t, f)
		n, err := c.Split([]byte(tt.frame+"next"), 0)
		if n != len(tt.frame) || err != nil {
			t.Errorf("%+v: Split(% x) = %d, %v; want %d, nil", f, tt.frame, n, err, len(tt.frame))
			continue
		}
		if got := tt.frame[tt.params.initialBytesToStrip:n]; got != tt.seen {
			t.Errorf("%+v: stripped to %q; want %q", f, got, tt.seen)
		}
		if tt.params.initialBytesToStrip == f.Offset+tt.params.lengthFieldLength {
			if got := c.Payload([]byte(tt.frame)); string(got) != tt.seen {
				t.Errorf("%+v: Payload(% x) = %q; want %q", f, tt.frame, got, tt.seen)
			}
		}
	}
}

func TestNewTokio(t *testing.T) {
	for _, tt := range []struct {
		params tokioParams
		frame  string
		seen   string
	}{
		{tokioParams{0, 2, 0, -1}, "\x00\x07message", "message"},
		{tokioParams{0, 2, 2, 0}, "\x00\x07message", "\x00\x07message"},
		{tokioParams{0, 2, -2, -1}, "\x00\x09message", "message"},
		{tokioParams{0, 3, 2, -1}, "\x00\x00\x07abmessage", "abmessage"},
		{tokioParams{1, 2, 1, -1}, "a\x00\x07bmessage", "bmessage"},
		{tokioParams{1, 2, -3, 3}, "a\x00\x0bbmessage", "bmessage"},
		{tokioParams{0, 3, 0, 4}, "\x00\x00\x07amessage", "message"},
	} {
		f := tt.params.format()
		n, err := newCodec(t, f).Split([]byte(tt.frame+"next"), 0)
		if n != len(tt.frame) || err != nil {
			t.Errorf("%+v: Split(% x) = %d, %v; want %d, nil", f, tt.frame, n, err, len(tt.frame))
			continue
		}
		if got := tt.frame[tt.params.skip():n]; got != tt.seen {
			t.Errorf("%+v: skipped to %q; want %q", f, got, tt.seen)
		}
	}
}

// All small parameters: the same frames, or the same refusal.
func TestSplitNettyAndTokioGrid(t *testing.T) {
	for _, width := range []int{1, 2, 3, 4, 8} {
		for offset := range 4 {
			for adjustment := -14; adjustment <= 14; adjustment++ {
				for length := range 32 {
					netty := nettyParams{offset, width, adjustment, 0}
					frame, ok := netty.split(length)
					same(t, netty.format(), width, length, frame, ok)
					for skip := -1; skip <= offset+width; skip++ {
						tokio := tokioParams{offset, width, adjustment, skip}
						frame, ok := tokio.split(length)
						// A frame that ends in its header is none of ours. Theirs
						// it is if that part of the header was not skipped.
						same(t, tokio.format(), width, length, frame, ok && frame >= offset+width)
					}
				}
			}
		}
	}
}

func same(t *testing.T, f lengthfield.Format, width, length, frame int, ok bool) {
	t.Helper()
	want := answer{n: frame}
	if !ok {
		want = answer{err: framing.ErrCorrupt}
	}
	data := make([]byte, f.Offset+width)
	data[len(data)-1] = byte(length)
	want.check(t, newCodec(t, f), data, 0)
}

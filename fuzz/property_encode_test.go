package fuzz_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

func TestProperty04DecodeAfterEncode(t *testing.T) {
	forAll(t, 1500, func(shape []byte, payloads [][]byte, cuts []byte) string {
		return genTrial(shape, nil, cuts).decodeAfterEncode(payloads)
	}, shapes(), pieces(), cuts())
}

// decodeAfterEncode: what a codec agrees to encode comes back, through a Writer
// whose sink is as flaky as it likes.
func (t trial) decodeAfterEncode(payloads [][]byte) string {
	var sent []string
	var wire []byte
	sink := &flakyWriter{crumbs: t.cuts}
	w := framing.NewWriter(sink, t.make())
	c := t.make()
	for _, p := range payloads {
		p = t.fold(p)
		frame, err := c.AppendFrame(slices.Clip(wire), p)
		if err != nil {
			if !bytes.Equal(frame, wire) {
				return t.say(fmt.Sprintf("AppendFrame of %q", p), fmt.Sprintf("%q and an error; want dst as it was", frame))
			}
			continue
		}
		if dirty := bytes.Repeat([]byte{0xaa}, len(frame)+1); !t.sameFrame(dirty[:1], p, frame[len(wire):]) {
			return t.say(fmt.Sprintf("AppendFrame of %q", p), "what is written depends on what was there")
		}
		wire, sent = frame, append(sent, string(p))
		if n, err := w.Write(p); n != len(p) || err != nil {
			return t.say(fmt.Sprintf("Write of %q", p), fmt.Sprint(n, err))
		}
		if len(sent)%3 == 0 {
			_ = w.Flush() // if it fails, the next one goes on where it stopped
		}
	}
	for w.Flush() != nil {
	}
	if !bytes.Equal(sink.Bytes(), wire) || w.Buffered() != 0 {
		return t.say("Writer", fmt.Sprintf("wrote %q; want %q", sink.Bytes(), wire))
	}
	return t.decoded(wire, sent)
}

// sameFrame reports whether payload becomes frame behind dst, too.
func (t trial) sameFrame(dst, payload, frame []byte) bool {
	got, err := t.make().AppendFrame(dst, payload)
	return err == nil && bytes.Equal(got[len(dst):], frame)
}

// decoded: wire is the frames whose payloads are sent.
func (t trial) decoded(wire []byte, sent []string) string {
	t.max, t.habits = 0, t.habits&^discards
	o := t.push(wire, t.cuts)
	c := t.make()
	var received []string
	for _, frame := range o.frames() {
		received = append(received, string(c.Payload([]byte(frame))))
	}
	if o.Fault != "" || o.errors() > 0 || o.End != io.EOF.Error() || !slices.Equal(received, sent) {
		return t.say("decoded", fmt.Sprintf("payloads %q, %+v; want %q", received, o, sent))
	}
	return ""
}

func TestProperty05EncodeAfterDecode(t *testing.T) {
	forAll(t, 1500, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).encodeAfterDecode()
	}, shapes(), pieces(), cuts())
}

// encodeAfterDecode: a frame of the stream is what its payload is encoded to,
// where a codec has only one way to write it.
func (t trial) encodeAfterDecode() string {
	c := t.make()
	for _, f := range t.push(t.data, t.cuts).frames() {
		frame := []byte(f)
		payload := c.Payload(frame)
		again, err := t.encode(c, frame, payload)
		if err != nil && (t.kind == severalDelimiters || t.kind == lines || t.kind == nested) {
			continue // what ends the frame is not what the codec writes
		}
		if err != nil || t.canonical(c, frame, payload) && !bytes.Equal(again, frame) {
			return t.say(fmt.Sprintf("frame %q of payload %q", frame, payload), fmt.Sprintf("encoded to %q, %v", again, err))
		}
	}
	return ""
}

// encode makes a frame of payload, with the header that frame has save its
// length.
func (t trial) encode(c codec, frame, payload []byte) ([]byte, error) {
	h, ok := c.(*lengthfield.Codec)
	if !ok {
		return c.AppendFrame(nil, payload)
	}
	header := bytes.Clone(frame[:len(frame)-len(payload)])
	if t.kind == varint {
		header = header[:t.offset]
	}
	for i := range header[t.offset:] {
		header[t.offset+i] = 0xaa
	}
	again, err := h.AppendHeader(nil, header, len(payload))
	return append(again, payload...), err
}

// canonical reports whether frame is written the way c writes frames: with its
// delimiter, or a length as short as can be.
func (t trial) canonical(c codec, frame, payload []byte) bool {
	switch c.(type) {
	case *eof.Codec:
		mine, err := c.AppendFrame(nil, nil)
		return err == nil && string(frame[len(payload):]) == string(mine)
	case *lengthfield.Codec:
		end := len(frame) - len(payload)
		return !t.padded || end == t.offset+1 || frame[end-1] != 0
	}
	return true
}

package framingtest

import (
	"bytes"

	"github.com/plait-go/plait/framing"
)

// A Codec is both directions of a format.
type Codec interface {
	framing.Splitter
	framing.Appender
	Payload(frame []byte) []byte
}

// TestCodec checks that codec's AppendFrame makes frames that its Split and
// Payload take apart again, then runs [TestSplitter] on the frames. Each of
// payloads must be one that can be encoded.
func TestCodec(codec func() Codec, payloads ...string) error {
	var frames []string
	c := &checker{splitter: func() framing.Splitter { return codec() }, frames: payloads}
	err := run(c, []law{{"encode", func(c *checker) {
		for _, p := range payloads {
			if f, ok := c.encode(codec(), p); ok {
				frames = append(frames, f)
			}
		}
	}}})
	if err != nil {
		return err
	}
	return TestSplitter(c.splitter, frames...)
}

// TestRefusal checks that codec's AppendFrame refuses payload, and that it leaves
// dst as it was.
func TestRefusal(codec func() Codec, payload string) error {
	c := &checker{frames: []string{payload}}
	return run(c, []law{{"encode", func(c *checker) {
		dst := append(make([]byte, 0, 16), "before"...)
		got, err := codec().AppendFrame(dst, []byte(payload))
		if err == nil {
			c.errorf("AppendFrame(dst, %q) = %q, nil; want an error", payload, got)
		}
		if string(got) != "before" || string(dst) != "before" {
			c.errorf("AppendFrame(%q, %q) = %q and an error; want dst as it was", "before", payload, got)
		}
	}}})
}

// encode makes a frame of payload, behind nothing and behind something.
func (c *checker) encode(codec Codec, payload string) (frame string, ok bool) {
	in := clip(payload)
	f, err := codec.AppendFrame(nil, in)
	if err != nil || len(f) == 0 {
		c.errorf("AppendFrame(nil, %q) = %q, %v; want a frame", payload, f, err)
		return "", false
	}
	if string(in) != payload {
		c.errorf("AppendFrame(nil, %q) changed the payload to %q", payload, in)
	}
	dst := append(make([]byte, 0, 4096), "before"...)
	if g, err := codec.AppendFrame(dst, in); err != nil || !bytes.HasPrefix(g, []byte("before")) || !bytes.Equal(g[len("before"):], f) {
		c.errorf("AppendFrame(%q, %q) = %q, %v; want %q", "before", payload, g, err, "before"+string(f))
	}
	whole := clip(string(f))
	p := codec.Payload(whole)
	if string(p) != payload {
		c.errorf("Payload(%q) = %q; want %q", f, p, payload)
	}
	_ = append(p, 0xa5)
	if !bytes.Equal(whole, f) {
		c.errorf("appending to Payload(%q) changed the frame to %q", f, whole)
	}
	return string(f), !c.failed()
}

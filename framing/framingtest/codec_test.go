package framingtest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing/framingtest"
)

type (
	lossy   struct{ semi } // strips a blank
	greedy  struct{ semi } // gives payloads that reach into the delimiter
	untidy  struct{ semi } // leaves half a frame behind on error
	changes struct{ semi } // writes to the payload
	fresh   struct{ semi } // forgets what is in dst
)

func (lossy) AppendFrame(dst, payload []byte) ([]byte, error) {
	return semi{}.AppendFrame(dst, bytes.TrimSpace(payload))
}

func (greedy) Payload(frame []byte) []byte { return frame[:len(frame)-2] }

func (untidy) AppendFrame(dst, payload []byte) ([]byte, error) {
	out, err := semi{}.AppendFrame(dst, payload)
	if err != nil {
		return append(dst, payload...), err
	}
	return out, nil
}

func (changes) AppendFrame(dst, payload []byte) ([]byte, error) {
	out, err := semi{}.AppendFrame(dst, payload)
	clear(payload)
	return out, err
}

func (fresh) AppendFrame(dst, payload []byte) ([]byte, error) {
	return semi{}.AppendFrame(dst[:0], payload)
}

func TestBrokenCodecs(t *testing.T) {
	for name, c := range map[string]framingtest.Codec{
		"lossy": lossy{}, "greedy": greedy{}, "changes": changes{}, "fresh": fresh{},
	} {
		err := framingtest.TestCodec(func() framingtest.Codec { return c }, "a", "b ")
		if err == nil || !strings.Contains(err.Error(), "encode") {
			t.Errorf("%s: %v; want a report on %q", name, err, "encode")
		}
	}
	if err := framingtest.TestCodec(func() framingtest.Codec { return semi{} }, "a;;"); err == nil {
		t.Error("TestCodec took a payload that cannot be encoded")
	}
	for name, tt := range map[string]struct {
		codec   framingtest.Codec
		payload string
	}{"untidy": {untidy{}, "a;;"}, "accepts": {semi{}, "a"}} {
		if err := framingtest.TestRefusal(func() framingtest.Codec { return tt.codec }, tt.payload); err == nil {
			t.Errorf("TestRefusal of %s, %q = nil; want an error", name, tt.payload)
		}
	}
}

package codec_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/examples/echo/codec"
	"github.com/plait-go/plait/framing"
)

func TestCodecsMakeTheFramesTheyCut(t *testing.T) {
	for name, stream := range map[string]string{
		"raw":    "hello\r\n\x00",
		"eof":    "hello\r\n\r\na\rb\n\r\r\n",
		"length": "\x00\x00\x00\x05hello\x00\x00\x00\x00\x00\x00\x00\x02\r\n",
	} {
		c, err := codec.New(name)
		if err != nil {
			t.Fatal(err)
		}
		var again []byte
		for frame, err := range framing.NewReader(strings.NewReader(stream), c).All() {
			if err == nil {
				again, err = c.AppendFrame(again, c.Payload(frame))
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if string(again) != stream {
			t.Errorf("%s: %q came back as %q", name, stream, again)
		}
	}
}

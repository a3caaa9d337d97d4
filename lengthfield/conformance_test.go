package lengthfield_test

import (
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/framing/framingtest"
	"github.com/plait-go/plait/lengthfield"
)

func TestConformance(t *testing.T) {
	payloads := []string{"", "a", "abc", "a payload", "a payload of some length"}
	for _, code := range "cCsSnvlLNVqQJPiItT" {
		for _, f := range []lengthfield.Format{
			{Type: byte(code), Offset: 0, Body: 0},
			{Type: byte(code), Offset: 0, Body: 8},
			{Type: byte(code), Offset: 3, Body: 3},
			{Type: byte(code), Offset: 5, Body: -7},
		} {
			conform(t, payloads, f)
		}
	}
}

// conform runs the conformance kit on those payloads that f can carry.
func conform(t *testing.T, payloads []string, f lengthfield.Format) {
	t.Helper()
	c, err := lengthfield.New(f)
	if err != nil {
		t.Fatal(err)
	}
	var fit []string
	for _, p := range payloads {
		if _, err := c.AppendFrame(nil, []byte(p)); err == nil {
			fit = append(fit, p)
		}
	}
	if len(fit) < 2 {
		t.Fatalf("%+v carries %d of %d payloads; want two at least", f, len(fit), len(payloads))
	}
	if err := framingtest.TestCodec(func() framingtest.Codec { return c }, fit...); err != nil {
		t.Errorf("%+v: %v", f, err)
	}
}

func TestVarintConformance(t *testing.T) {
	long := string(make([]byte, 200))
	for _, offset := range []int{0, 1, 5} {
		for _, make := range []func(int, int) (*lengthfield.Codec, error){lengthfield.Varint, lengthfield.PaddedVarint} {
			c, err := make(offset, 4)
			if err != nil {
				t.Fatal(err)
			}
			if err := framingtest.TestCodec(func() framingtest.Codec { return c }, "", "a", "abc", long); err != nil {
				t.Errorf("offset %d: %v", offset, err)
			}
		}
	}
}

func TestErrorsDoNotDependOnTheCut(t *testing.T) {
	for _, tt := range []struct {
		format lengthfield.Format
		stream string
		max    int
		want   error
	}{
		{lengthfield.Format{Type: 'N', Body: 4}, "\x00\x00\x00\x01aGET / HTTP/1.1\r\n", 0, framing.ErrTooLong},
		{lengthfield.Format{Type: 'N', Body: 4}, "\x00\x00\x00\x01a\x00\x00\x00\x0cabcdefghijkl", 8, framing.ErrTooLong},
		{lengthfield.Format{Type: 'J', Body: 8}, "\xff\xff\xff\xff\xff\xff\xff\xffbehind", 0, framing.ErrTooLong},
		{lengthfield.Format{Type: 'N'}, "\x00\x00\x00\x05a\x00\x00\x00\x03behind", 0, framing.ErrCorrupt},
		{lengthfield.Format{Type: 'c', Body: 1}, "\x01a\x00\xffbehind", 0, framing.ErrCorrupt},
	} {
		c, err := lengthfield.New(tt.format)
		if err != nil {
			t.Fatal(err)
		}
		err = framingtest.TestError(func() framing.Splitter { return c }, tt.stream, tt.max, tt.want)
		if err != nil {
			t.Errorf("%+v: %v", tt.format, err)
		}
	}
}

package lengthfield_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/lengthfield"
)

func TestNewTypes(t *testing.T) {
	const known = "cCsSnvtTlLiINVqQJP"
	for code := range 256 {
		c, err := lengthfield.New(lengthfield.Format{Type: byte(code), Body: 8})
		if want := strings.IndexByte(known, byte(code)) >= 0; (err == nil) != want || (c != nil) != want {
			t.Errorf("New(Type: %q) = %v, %v; want a Codec: %v", byte(code), c, err, want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		format lengthfield.Format
		want   string // in the error; empty for none
	}{
		{lengthfield.Format{}, `Type '\x00'`},
		{lengthfield.Format{Type: 'a', Body: 4}, `Type 'a'`},
		{lengthfield.Format{Type: 'N', Offset: -1}, "Offset -1"},
		{lengthfield.Format{Type: 'N', Offset: 65536}, "Offset 65536"},
		{lengthfield.Format{Type: 'N', Body: -65536}, "Body -65536"},
		{lengthfield.Format{Type: 'N', Body: 65536}, "Body 65536"},
		{lengthfield.Format{Type: 'N', Offset: 65535, Body: 65535}, ""},
		{lengthfield.Format{Type: 'N', Offset: 65535, Body: -65535}, ""},
		{lengthfield.Format{Type: 'c', Offset: 65535, Body: 65535}, ""},

		// The largest length of these makes a frame of exactly its header, or of
		// one byte less.
		{lengthfield.Format{Type: 'C', Body: -254}, ""},
		{lengthfield.Format{Type: 'C', Body: -255}, "Body -255"},
		{lengthfield.Format{Type: 'c', Body: -126}, ""},
		{lengthfield.Format{Type: 'c', Body: -127}, "Body -127"},
		{lengthfield.Format{Type: 'n', Body: -65533}, ""},
		{lengthfield.Format{Type: 'n', Body: -65534}, "Body -65534"},
		{lengthfield.Format{Type: 's', Body: -32765}, ""},
		{lengthfield.Format{Type: 's', Body: -32766}, "Body -32766"},
		{lengthfield.Format{Type: 'n', Offset: 65535, Body: 2}, ""},
		{lengthfield.Format{Type: 'n', Offset: 65535, Body: 1}, "Body 1 "},
	} {
		c, err := lengthfield.New(tt.format)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("New(%+v) = %v; want a Codec", tt.format, err)
		case tt.want != "" && (c != nil || err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("New(%+v) = %v, %v; want %q in the error", tt.format, c, err, tt.want)
		}
	}
}

func TestVarintErrors(t *testing.T) {
	for _, tt := range []struct {
		offset, max int
		want        string // in the error; empty for none
	}{
		{0, 1, ""},
		{65535, 10, ""},
		{-1, 4, "Offset -1"},
		{65536, 4, "Offset 65536"},
		{0, 0, "at most 0 bytes"},
		{0, -1, "at most -1 bytes"},
		{0, 11, "at most 11 bytes"},
	} {
		for _, build := range []func(int, int) (*lengthfield.Codec, error){lengthfield.Varint, lengthfield.PaddedVarint} {
			c, err := build(tt.offset, tt.max)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Varint(%d, %d) = %v; want a Codec", tt.offset, tt.max, err)
			case tt.want != "" && (c != nil || err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("Varint(%d, %d) = %v, %v; want %q in the error", tt.offset, tt.max, c, err, tt.want)
			}
		}
	}
}

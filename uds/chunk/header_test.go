//go:build linux

package chunk_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/uds/chunk"
)

// The header is what the documentation draws.
func TestHeader(t *testing.T) {
	h := chunk.Header{Total: 0x01020304, Offset: 0x00050607, ID: 0x08090a0b, Sender: 0x0c0d0e0f10111213}
	want := "\x70\x63\x01\x00\x01\x02\x03\x04\x00\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
	got := h.Append([]byte("before"))
	if string(got) != "before"+want || len(want) != chunk.HeaderSize {
		t.Errorf("Append(%+v) = %x; want %x", h, got, want)
	}
	back, part, err := chunk.Parse([]byte(want + "part"))
	if back != h || string(part) != "part" || err != nil {
		t.Errorf("Parse() = %+v, %q, %v; want %+v, \"part\"", back, part, err, h)
	}
}

func TestParse(t *testing.T) {
	good := cut(7, 1, message(0, 100), 60)
	change := func(packet []byte, at int, b byte) []byte {
		p := append([]byte(nil), packet...)
		p[at] = b
		return p
	}
	for _, tt := range []struct {
		name   string
		packet []byte
		want   string
	}{
		{"first", good[0], ""},
		{"last", good[1], ""},
		{"empty message", cut(1, 1, nil, 10)[0], ""},
		{"nothing", nil, "0 bytes, a header has 24"},
		{"cut header", good[0][:23], "23 bytes, a header has 24"},
		{"magic", change(good[0], 1, 0x62), "magic at byte 0 is 0x7062, not 0x7063"},
		{"version", change(good[0], 2, 2), "version at byte 2 is 2, not 1"},
		{"reserved", change(good[0], 3, 9), "reserved at byte 3 is 9, not 0"},
		{"offset", change(good[0], 11, 101), "offset at byte 8 is 101, total is 100"},
		{"huge offset", change(good[0], 8, 0xff), "offset at byte 8 is 4278190080, total is 100"},
		{"part", change(good[0], 11, 41), "part at byte 24 has 60 bytes, offset 41 of 100 leaves 59"},
		{"no part", good[0][:24], "part at byte 24 is empty, total is 100"},
		{"no part at the end", change(good[0], 11, 100)[:24], "part at byte 24 is empty, total is 100"},
		{"part of nothing", append(cut(1, 1, nil, 10)[0], 1), "part at byte 24 has 1 bytes, offset 0 of 0 leaves 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, part, err := chunk.Parse(tt.packet)
			if tt.want == "" {
				if got := append(h.Append(nil), part...); err != nil || !cmp.Equal(tt.packet, got) {
					t.Errorf("Parse(%x) = %+v, %x, %v; which is %x", tt.packet, h, part, err, got)
				}
				return
			}
			if want := "chunk: malformed packet: " + tt.want; err == nil || err.Error() != want || !errors.Is(err, chunk.ErrMalformed) || part != nil {
				t.Errorf("Parse(%x) = %x, %v; want %s", tt.packet, part, err, want)
			}
		})
	}
}

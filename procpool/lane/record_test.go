//go:build linux

package lane_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/lane"
)

// A message is one as it was sent, or has come.
type message struct {
	Kind    lane.Kind
	ID, Tag uint64
	Payload []byte
}

// encode returns the records of messages.
func encode(messages ...message) (p []byte) {
	for _, m := range messages {
		p = lane.Append(p, lane.Header{Kind: m.Kind, ID: m.ID, Tag: m.Tag}, m.Payload)
	}
	return p
}

// decoded is what takes the bytes of a lane.
type decoded struct {
	records  framing.Decoder
	parts    lane.Assembler
	messages []message
}

func newDecoded(limit int) *decoded {
	return &decoded{records: lane.NewDecoder(), parts: lane.Assembler{Max: limit}}
}

// add takes more bytes.
func (d *decoded) add(p []byte) error {
	for record, err := range d.records.Frames(p) {
		if err != nil {
			return err
		}
		h, piece, err := lane.Parse(record)
		if err != nil {
			return err
		}
		payload, whole, err := d.parts.Add(h, piece)
		if err != nil {
			return err
		}
		if whole {
			d.messages = append(d.messages, message{h.Kind, h.ID, h.Tag, bytes.Clone(payload)})
		}
	}
	return nil
}

// end checks that nothing is begun and not whole, and what has come.
func (d *decoded) end(want []message) error {
	if n := len(d.records.Buffered()); n > 0 || d.parts.Open() {
		return fmt.Errorf("%d bytes are left, and a message is open: %t", n, d.parts.Open())
	}
	if diff := cmp.Diff(want, d.messages, cmp.Comparer(bytes.Equal)); diff != "" {
		return fmt.Errorf("messages (-want +got):\n%.500s", diff)
	}
	return nil
}

func TestRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, lane.Piece - 1, lane.Piece, lane.Piece + 1, 3 * lane.Piece, 16 << 20} {
		for kind := lane.KindRequest; kind <= lane.KindCall && (size < 1<<20 || kind == lane.KindRequest); kind++ {
			want := []message{
				{kind, 1<<64 - 1, 7, bytes.Repeat([]byte{byte(kind)}, size)},
				{lane.KindReply, 0, 0, []byte("behind")},
			}
			p := encode(want...)
			if n := lane.Size(size) + lane.Size(6); len(p) != n {
				t.Errorf("%d bytes of payload: %d bytes of records; Size says %d", size, len(p), n)
			}
			d := newDecoded(0)
			if err := errors.Join(d.add(p), d.end(want)); err != nil {
				t.Errorf("kind %d, %d bytes: %v", kind, size, err)
			}
		}
	}
}

// Where the bytes are cut does not matter.
func TestCutAnywhere(t *testing.T) {
	want := []message{{lane.KindRequest, 0, 9, []byte("one")}, {lane.KindEnd, 0, 0, nil}, {lane.KindCall, 1, 0, []byte("two")}}
	p := encode(want...)
	for at := range len(p) + 1 {
		d := newDecoded(0)
		if err := errors.Join(d.add(p[:at]), d.add(p[at:]), d.end(want)); err != nil {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
	want = append(want, message{lane.KindReply, 5, 5, bytes.Repeat([]byte("x"), 2*lane.Piece+5)})
	p = encode(want...)
	for _, size := range []int{1, 7, 4096, lane.Piece} {
		d := newDecoded(0)
		for rest := p; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if err := d.add(rest[:min(size, len(rest))]); err != nil {
				t.Fatalf("pieces of %d: %v", size, err)
			}
		}
		if err := d.end(want); err != nil {
			t.Errorf("pieces of %d: %v", size, err)
		}
	}
}

// Any messages come out as they went in, however they are cut.
func TestMessages(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 100
	properties := gopter.NewProperties(parameters)
	properties.Property("round trip", prop.ForAll(func(sizes []uint32, cut uint16) string {
		var want []message
		for i, n := range sizes {
			size := int(n % 300)
			if n%16 == 0 {
				size = int(n % (3 * lane.Piece))
			}
			kind := lane.KindRequest + lane.Kind(n%uint32(lane.KindCall))
			want = append(want, message{kind, uint64(i), uint64(n), bytes.Repeat([]byte{byte(n)}, size)})
		}
		d, p := newDecoded(0), encode(want...)
		for len(p) > 0 {
			n := min(1+int(cut), len(p))
			if err := d.add(p[:n]); err != nil {
				return err.Error()
			}
			p = p[n:]
		}
		if err := d.end(want); err != nil {
			return err.Error()
		}
		return ""
	}, gen.SliceOf(gen.UInt32()), gen.UInt16()))
	properties.TestingRun(t)
}

// What is no record, or does not belong to a message, is named.
func TestRejected(t *testing.T) {
	good := encode(message{lane.KindRequest, 7, 0, []byte("x")})
	patch := func(at int, b byte) []byte {
		p := bytes.Clone(good)
		p[at] = b
		return p
	}
	piece := func(h lane.Header, text string) []byte {
		return append(lane.AppendHeader(nil, h, len(text)), text...)
	}
	open := piece(lane.Header{Kind: lane.KindRequest, ID: 7, More: true}, "x")
	for _, c := range []struct {
		name string
		p    []byte
		want string
	}{
		{"short", append([]byte{19, 0, 0, 0}, make([]byte, 19)...), "lane: corrupt: record of 23 bytes, want 24 at least"},
		{"kind 0", patch(4, 0), "lane: corrupt: record begins with 00 00 00 00"},
		{"no kind", patch(4, 8), "lane: corrupt: record begins with 08 00 00 00"},
		{"flags", patch(5, 2), "lane: corrupt: record begins with 01 02 00 00"},
		{"unused", patch(6, 1), "lane: corrupt: record begins with 01 00 01 00"},
		{"unused, too", patch(7, 255), "lane: corrupt: record begins with 01 00 00 ff"},
		{"too large", patch(2, 1), "framing: at byte 0: frame too long: 65561 bytes, limit 65536"},
		{"another inside", append(bytes.Clone(open), patch(8, 8)...), "lane: corrupt: a record of message 8 inside message 7"},
		{"another kind inside", append(bytes.Clone(open), patch(4, 3)...), "lane: corrupt: a record of message 7 inside message 7"},
		{"too long", encode(message{lane.KindRequest, 7, 0, make([]byte, 101)}), "lane: corrupt: message 7 of more than 100 bytes"},
		{"too long at last", append(bytes.Clone(open), encode(message{lane.KindRequest, 7, 0, make([]byte, 100)})...), "lane: corrupt: message 7 of more than 100 bytes"},
		{"nothing, and more", piece(lane.Header{Kind: lane.KindReply, ID: 7, More: true}, ""), "lane: corrupt: an empty record of message 7, and more to follow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoded(100)
			if err := d.add(good); err != nil {
				t.Fatal(err)
			}
			err := d.add(c.p)
			if err == nil || !strings.HasPrefix(err.Error(), strings.Replace(c.want, "at byte 0", fmt.Sprintf("at byte %d", len(good)), 1)) {
				t.Errorf("error %v; want %s", err, c.want)
			}
			if c.name != "too large" && !errors.Is(err, lane.ErrCorrupt) {
				t.Errorf("error %v; want ErrCorrupt", err)
			}
			if len(d.messages) != 1 {
				t.Errorf("%d messages; want the good one", len(d.messages))
			}
		})
	}
}

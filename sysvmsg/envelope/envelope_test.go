//go:build linux

package envelope_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/sysvmsg/envelope"
)

// pack puts a payload in an envelope.
func pack(tb testing.TB, h envelope.Header, payload string) []byte {
	tb.Helper()
	p, err := envelope.Append(nil, h, []byte(payload))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// known is a Header with all fields set.
func known() envelope.Header {
	return envelope.Header{
		Schema:   0x0203,
		Time:     time.Unix(1_000_000_000, 5),
		Producer: envelope.Identity{PID: 4711, Start: 0xfffffffe},
	}
}

// The bytes are what other programs may rely on: they never change for a version.
func TestAppendMakesTheseBytes(t *testing.T) {
	const want = "c1706c71" + "01" + "00" + "0203" + "00000005" + "4e44f057" + "0de0b6b3a7640005" + "00001267" + "fffffffe" + "68656c6c6f"
	if got := hex.EncodeToString(pack(t, known(), "hello")); got != want {
		t.Errorf("Append = %s; want %s", got, want)
	}
	const empty = "c1706c71" + "01" + "00" + "0000" + "00000000" + "858cd498" + "0000000000000000" + "00000000" + "00000000"
	if got := hex.EncodeToString(pack(t, envelope.Header{}, "")); got != empty {
		t.Errorf("Append of nothing = %s; want %s", got, empty)
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	dst := append(make([]byte, 0, 100), "before"...)
	got, err := envelope.Append(dst, known(), []byte("hello"))
	if want := "before" + string(pack(t, known(), "hello")); err != nil || string(got) != want || &got[0] != &dst[0] {
		t.Errorf("Append(%q) = %q, %v; want %q in place", dst, got, err, want)
	}
}

// What the errors say is for people; that they name the kind is for programs.
func TestParseRefuses(t *testing.T) {
	whole := string(pack(t, known(), "hello"))
	set := func(i int, b byte) string { return whole[:i] + string([]byte{b}) + whole[i+1:] }
	for _, test := range []struct {
		name, p string
		want    error
		says    string
	}{
		{"nothing", "", envelope.ErrForeign, "0 bytes"},
		{"three bytes", whole[:3], envelope.ErrForeign, "3 bytes"},
		{"text", "hello, world", envelope.ErrForeign, "magic number is 0x68656c6c"},
		{"a serialized value", `a:1:{s:2:"id";i:7;}`, envelope.ErrForeign, "magic number"},
		{"a magic number alone", whole[:4], envelope.ErrCorrupt, "cut to 4 bytes"},
		{"a later version", set(4, 2), envelope.ErrVersion, "version is 2"},
		{"a short header of a later version", set(4, 2)[:5], envelope.ErrVersion, "version is 2"},
		{"a header that was cut", whole[:31], envelope.ErrCorrupt, "cut to 31 bytes"},
		{"a reserved byte", set(5, 1), envelope.ErrCorrupt, "reserved"},
		{"a payload that was cut", whole[:36], envelope.ErrCorrupt, "payload has 4 bytes, the header says 5"},
		{"bytes behind it", whole + "\x00", envelope.ErrCorrupt, "payload has 6 bytes"},
		{"two in one", whole + whole, envelope.ErrCorrupt, "payload has 42 bytes"},
		{"a length of all ones", whole[:8] + "\xff\xff\xff\xff" + whole[12:], envelope.ErrCorrupt, "says 4294967295"},
		{"a payload that was changed", whole[:36] + "O", envelope.ErrCorrupt, "checksum"},
		{"a schema that was changed", set(7, 9), envelope.ErrCorrupt, "checksum"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, payload, err := envelope.Parse([]byte(test.p))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || h != (envelope.Header{}) || payload != nil {
				t.Errorf("Parse(%q) = %v, %q, %v; want an error that matches %q and says %q", test.p, h, payload, err, test.want, test.says)
			}
		})
	}
}

// Every cut and every single change of a byte is found, wherever it is.
func TestParseFindsEveryDamage(t *testing.T) {
	whole := pack(t, known(), "some payload")
	for i := range whole {
		if h, _, err := envelope.Parse(whole[:i]); err == nil {
			t.Errorf("Parse of the first %d bytes = %v, nil; want an error", i, h)
		}
		for bit := range 8 {
			p := bytes.Clone(whole)
			p[i] ^= 1 << bit
			if h, _, err := envelope.Parse(p); err == nil {
				t.Errorf("Parse with bit %d of byte %d changed = %v, nil; want an error", bit, i, h)
			}
		}
	}
}

func TestParseUndoesAppend(t *testing.T) {
	properties := gopter.NewProperties(nil)
	properties.Property("the header and the payload come back", prop.ForAll(
		func(schema uint16, ns int64, pid, start uint32, payload []byte) string {
			h := envelope.Header{Schema: schema, Producer: envelope.Identity{PID: pid, Start: start}}
			if ns != 0 {
				h.Time = time.Unix(0, ns)
			}
			p, err := envelope.Append(nil, h, payload)
			if err != nil || len(p) != envelope.HeaderSize+len(payload) {
				return err.Error()
			}
			back, same, err := envelope.Parse(p)
			if err != nil {
				return err.Error()
			}
			return cmp.Diff(h, back) + cmp.Diff(string(payload), string(same))
		},
		gen.UInt16(), gen.Int64(), gen.UInt32(), gen.UInt32(), gen.SliceOf(gen.UInt8()),
	))
	properties.TestingRun(t)
}

func TestTimesOutOfRangeAreUnknown(t *testing.T) {
	for _, when := range []time.Time{{}, time.Unix(0, 0), time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)} {
		h, _, err := envelope.Parse(pack(t, envelope.Header{Time: when}, ""))
		if err != nil || !h.Time.IsZero() {
			t.Errorf("Time %v comes back as %v, %v; want the zero Time", when, h.Time, err)
		}
	}
	for _, when := range []time.Time{
		time.Unix(0, math.MinInt64), time.Date(1678, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Unix(0, math.MaxInt64), time.Unix(0, -1), time.Unix(0, 1),
	} {
		h, _, err := envelope.Parse(pack(t, envelope.Header{Time: when}, ""))
		if err != nil || !h.Time.Equal(when) {
			t.Errorf("Time %v comes back as %v, %v", when, h.Time, err)
		}
	}
}

func TestCodecAllocatesNothing(t *testing.T) {
	h, payload, p := known(), make([]byte, 1024), make([]byte, 0, 2048)
	n := testing.AllocsPerRun(1000, func() {
		p, _ = envelope.Append(p[:0], h, payload)
		if _, _, err := envelope.Parse(p); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("Append and Parse: %v allocations; want 0", n)
	}
}

package framing_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plait-go/plait/framing"
)

// short frames have a length field of two bytes, big-endian, which counts itself
// too; a length under 2 is corrupt.
type short struct{}

var errShort = fmt.Errorf("short of its own header: %w", framing.ErrCorrupt)

func (short) Split(data []byte, _ int) (int, error) {
	if len(data) < 2 {
		return 0, nil
	}
	n := int(binary.BigEndian.Uint16(data))
	if n < 2 {
		return 0, errShort
	}
	return n, nil
}

func (short) AppendFrame(dst, payload []byte) ([]byte, error) {
	if len(payload) > 0xffff-2 {
		return dst, errors.New("payload too long")
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(2+len(payload)))
	return append(dst, payload...), nil
}

// huge frames have a length field of eight bytes, big-endian, for what follows.
type huge struct{}

func (huge) Split(data []byte, _ int) (int, error) {
	if len(data) < 8 {
		return 0, nil
	}
	v := binary.BigEndian.Uint64(data)
	if v > 1<<30 {
		return 0, &framing.Error{Size: v, Err: framing.ErrTooLong}
	}
	return int(v) + 8, nil
}

// crlf frames end with "\r\n". It is a Resyncer.
type crlf struct{}

func (crlf) Split(data []byte, seen int) (int, error) {
	from := max(0, seen-1)
	if i := bytes.Index(data[from:], []byte("\r\n")); i >= 0 {
		return from + i + 2, nil
	}
	return 0, nil
}

func (crlf) Resync(data []byte) (int, bool) {
	if i := bytes.Index(data, []byte("\r\n")); i >= 0 {
		return i + 2, true
	}
	return len(data) - min(1, len(data)), false
}

// bang frames end with '!'. It is no Resyncer.
type bang struct{}

func (bang) Split(data []byte, seen int) (int, error) {
	if i := bytes.IndexByte(data[seen:], '!'); i >= 0 {
		return seen + i + 1, nil
	}
	return 0, nil
}

// collect feeds each piece and returns what came out, errors as their text.
func collect(d *framing.Decoder, pieces ...string) []string {
	var out []string
	for _, p := range pieces {
		for f, err := range d.Frames([]byte(p)) {
			out = append(out, show(f, err))
		}
	}
	return out
}

func show(f []byte, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return string(f)
}

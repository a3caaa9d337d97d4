//go:build linux

package envelope

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// What there is to know of the layout.
const (
	Version    = 1                          // of the envelope that Append makes
	HeaderSize = 32                         // bytes
	MaxPayload = math.MaxInt32 - HeaderSize // bytes; the kernel's msgmax is smaller by default
)

// Magic begins an envelope. The byte 0xc1 is in no UTF-8 text.
const magic uint32 = 0xc1<<24 | 'p'<<16 | 'l'<<8 | 'q'

// Why a message is put in quarantine. The errors of [Parse] match the first three.
var (
	ErrForeign  = errors.New("foreign message")             // no envelope, or one of another schema
	ErrVersion  = errors.New("unknown version of envelope") // of a later program
	ErrCorrupt  = errors.New("corrupt message")             // an envelope that was cut or changed
	ErrStale    = errors.New("stale message")               // whole, but too old, or from the future
	ErrRejected = errors.New("rejected message")            // by the application
)

// A Header is what an envelope says of its payload.
type Header struct {
	Schema   uint16    // what the payload means; the application numbers its own
	Time     time.Time // when it was sent, from 1678 to 2262; the zero Time is unknown
	Producer Identity  // who sent it
}

// Append appends a payload in its envelope to dst, which it may reallocate. The
// payload must not overlap the free capacity of dst. A Time out of range is written
// as unknown. The error, with which dst is unchanged, is sysvmsg.ErrTooLarge for
// more than MaxPayload bytes.
func Append(dst []byte, h Header, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return dst, fmt.Errorf("envelope: payload of %d bytes, at most %d: %w", len(payload), MaxPayload, sysvmsg.ErrTooLarge)
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, magic)
	dst = append(dst, Version, 0)
	dst = binary.BigEndian.AppendUint16(dst, h.Schema)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(nanoseconds(h.Time)))
	dst = binary.BigEndian.AppendUint32(dst, h.Producer.PID)
	dst = binary.BigEndian.AppendUint32(dst, h.Producer.Start)
	dst = append(dst, payload...)
	binary.BigEndian.PutUint32(dst[start+12:], checksum(dst[start:]))
	return dst, nil
}

// Parse takes a message out of its envelope. The payload aliases p. Parse accepts
// what Append makes, byte for byte, and nothing else; otherwise the error says what
// is wrong and matches ErrForeign, ErrVersion or ErrCorrupt.
func Parse(p []byte) (h Header, payload []byte, err error) {
	if err := check(p); err != nil {
		return Header{}, nil, fmt.Errorf("envelope: %w", err)
	}
	return Header{
		Schema: binary.BigEndian.Uint16(p[6:]),
		Time:   instant(int64(binary.BigEndian.Uint64(p[16:]))),
		Producer: Identity{
			PID:   binary.BigEndian.Uint32(p[24:]),
			Start: binary.BigEndian.Uint32(p[28:]),
		},
	}, p[HeaderSize:], nil
}

// check returns the first thing that keeps p from being what Append makes.
func check(p []byte) error {
	switch {
	case len(p) < 4:
		return fmt.Errorf("%d bytes are too few for a magic number: %w", len(p), ErrForeign)
	case binary.BigEndian.Uint32(p) != magic:
		return fmt.Errorf("magic number is %#08x, want %#08x: %w", binary.BigEndian.Uint32(p), magic, ErrForeign)
	case len(p) > 4 && p[4] != Version:
		return fmt.Errorf("version is %d, want %d: %w", p[4], Version, ErrVersion)
	case len(p) < HeaderSize:
		return fmt.Errorf("cut to %d bytes, the header has %d: %w", len(p), HeaderSize, ErrCorrupt)
	case p[5] != 0:
		return fmt.Errorf("reserved byte is %#02x, want 0: %w", p[5], ErrCorrupt)
	}
	if want, n := binary.BigEndian.Uint32(p[8:]), len(p)-HeaderSize; uint64(want) != uint64(n) {
		return fmt.Errorf("payload has %d bytes, the header says %d: %w", n, want, ErrCorrupt)
	}
	if is, want := binary.BigEndian.Uint32(p[12:]), checksum(p); is != want {
		return fmt.Errorf("checksum is %#08x, the bytes make %#08x: %w", is, want, ErrCorrupt)
	}
	return nil
}

// checksum is CRC-32C of an envelope without its field of the checksum.
func checksum(p []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by package crc32
	return crc32.Update(crc32.Checksum(p[:12], table), table, p[16:])
}

// nanoseconds are those since 1970, or 0 if t is zero or int64 does not hold them.
func nanoseconds(t time.Time) int64 {
	ns := t.UnixNano()
	if !time.Unix(0, ns).Equal(t) {
		return 0
	}
	return ns
}

// instant undoes nanoseconds.
func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

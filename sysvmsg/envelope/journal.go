//go:build linux

package envelope

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A record of a Journal, big-endian. Both checksums are CRC-32C: the first one of
// all that is behind the header, the second one of the 32 bytes before it, where
// done counts as 0. The line feed keeps a record that lacks its last byte from being
// completed by the next one.
//
//	 0        4         5      6           8            12         16     24     32         36
//	+--------+---------+------+-----------+------------+----------+------+------+----------+--------+---------+----+
//	| magic  | version | done | length of | length of  | checksum | type | time | checksum | reason | message | \n |
//	| c1 plj |    1    |  u8  |  reason   |  message   |   u32    | i64  | i64  |   u32    |        |         |    |
//	|        |         |      |    u16    |    u32     |          |      |      |          |        |         |    |
//	+--------+---------+------+-----------+------------+----------+------+------+----------+--------+---------+----+
const (
	recordMagic   uint32 = 0xc1<<24 | 'p'<<16 | 'l'<<8 | 'j'
	recordVersion        = 1
	recordHeader         = 36 // bytes
	recordEnd            = '\n'
	doneOffset           = 5
	maxReason            = 1 << 10 // bytes; what is longer is cut
)

// MaxRecord limits a message in a Journal, so that a damaged length asks a reader
// for no more: in bytes.
const MaxRecord = 64 << 20

// A Journal is a Quarantine in a file. Each message is one record, and written at
// the end by one write(2), so that any number of processes may write to one file. A
// record is not synced to the disk: it survives the process, as the queue does, not
// a power failure.
type Journal struct {
	f   *os.File
	mu  sync.Mutex
	buf []byte
}

// OpenJournal opens a Journal, and creates a file that only its owner may read and
// write, if there is none. What the file holds stays. The error is one of open(2),
// or fs.ErrInvalid if path is no regular file.
func OpenJournal(path string) (*Journal, error) {
	// Without O_NONBLOCK, opening a pipe waits until somebody reads it.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ENXIO) { // nobody does, or it is a socket
		err = fmt.Errorf("%s is no regular file: %w", path, fs.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", path, fs.ErrInvalid)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return &Journal{f: f}, nil
}

// Close closes the file. A second Close, and Put after it, return os.ErrClosed.
func (j *Journal) Close() error { return j.f.Close() }

// Put writes a record. It does not look at ctx: a file is never full for a while. A
// write that fails half-way, on a full disk say, leaves a piece of a record, which
// readers report and pass over. The error is that of write(2), or
// sysvmsg.ErrTooLarge for more than MaxRecord bytes. Put is safe for concurrent use.
func (j *Journal) Put(_ context.Context, t sysvmsg.Type, p []byte, reason error) error {
	if len(p) > MaxRecord {
		return fmt.Errorf("envelope: %d bytes for %s, at most %d: %w", len(p), j.f.Name(), MaxRecord, sysvmsg.ErrTooLarge)
	}
	if t <= 0 {
		return fmt.Errorf("envelope: message type %d for %s, at least 1: %w", t, j.f.Name(), os.ErrInvalid)
	}
	r := Record{Type: t, Time: time.Now(), Reason: reason.Error(), Message: p}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buf = appendRecord(j.buf[:0], r)
	_, err := j.f.Write(j.buf)
	if cap(j.buf) > keptSize {
		j.buf = nil
	}
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	return nil
}

// appendRecord appends r as it is in the file.
func appendRecord(dst []byte, r Record) []byte {
	reason := r.Reason[:min(len(r.Reason), maxReason)]
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, recordMagic)
	dst = append(dst, recordVersion, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(reason)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Message)))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Type))
	dst = binary.BigEndian.AppendUint64(dst, uint64(nanoseconds(r.Time)))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = append(append(append(dst, reason...), r.Message...), recordEnd)
	p := dst[start:]
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(p[12:], crc32.Checksum(p[recordHeader:], table))
	binary.BigEndian.PutUint32(p[32:], crc32.Checksum(p[:32], table))
	return dst
}

// recordSize returns the size of the record whose header p begins with, or false if
// there is none.
func recordSize(p []byte) (int, bool) {
	header := [32]byte(p)
	header[doneOffset] = 0
	switch {
	case binary.BigEndian.Uint32(p) != recordMagic, p[4] != recordVersion, p[doneOffset] > 1,
		binary.BigEndian.Uint32(p[32:]) != crc32.Checksum(header[:], crc32.MakeTable(crc32.Castagnoli)):
		return 0, false
	}
	reason, message, t := binary.BigEndian.Uint16(p[6:]), binary.BigEndian.Uint32(p[8:]), int64(binary.BigEndian.Uint64(p[16:]))
	if reason > maxReason || message > MaxRecord || t <= 0 || t > math.MaxInt {
		return 0, false
	}
	return recordHeader + int(reason) + int(message) + 1, true
}

// parseRecord returns the record that is all of p, or false if it has changed.
// Message aliases p.
func parseRecord(p []byte) (Record, bool) {
	body := p[recordHeader:]
	if binary.BigEndian.Uint32(p[12:]) != crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) {
		return Record{}, false
	}
	n := int(binary.BigEndian.Uint16(p[6:]))
	return Record{
		Done:    p[doneOffset] != 0,
		Type:    sysvmsg.Type(binary.BigEndian.Uint64(p[16:])),
		Time:    instant(int64(binary.BigEndian.Uint64(p[24:]))),
		Reason:  string(body[:n]),
		Message: body[n : len(body)-1],
	}, true
}

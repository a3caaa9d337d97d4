//go:build linux

package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// FuzzEnvelope: Parse accepts what Append makes, byte for byte, and nothing else.
func FuzzEnvelope(f *testing.F) {
	whole, err := envelope.Append(nil, envelope.Header{Schema: 7, Time: time.Unix(1, 2), Producer: envelope.Self()}, []byte("payload"))
	if err != nil {
		f.Fatal(err)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x80
		f.Add(changed)
		f.Add(whole[:i])
	}
	f.Add(whole)
	f.Add(append(whole, 0))
	// Reserved is not 0, and the checksum is right.
	f.Add([]byte("\xc1plq\x01\x01\x00\x00\x00\x00\x00\x00\xf0\x5f\x24\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		check(t, parseThenAppend(p), appendThenParse(p))
	})
}

// parseThenAppend has a message make itself again, if it is one.
func parseThenAppend(p []byte) string {
	h, payload, err := envelope.Parse(p)
	if err != nil {
		if !errors.Is(err, envelope.ErrForeign) && !errors.Is(err, envelope.ErrVersion) && !errors.Is(err, envelope.ErrCorrupt) || payload != nil {
			return fmt.Sprintf("Parse(%q) = %v, %q, %v; want an error that says why, and no payload", p, h, payload, err)
		}
		return ""
	}
	if again, err := envelope.Append(nil, h, payload); err != nil || !bytes.Equal(again, p) {
		return fmt.Sprintf("Parse(%q) = %+v, %q, which Append makes %q, %v", p, h, payload, again, err)
	}
	return ""
}

// appendThenParse has p come back as a payload, unless bits of it are changed.
func appendThenParse(p []byte) string {
	h := envelope.Header{Schema: uint16(len(p)), Producer: envelope.Identity{PID: 1, Start: 2}}
	whole, err := envelope.Append([]byte("before"), h, p)
	if err != nil {
		return fmt.Sprintf("Append(%q): %v", p, err)
	}
	if back, payload, err := envelope.Parse(whole[len("before"):]); err != nil || back != h || !bytes.Equal(payload, p) {
		return fmt.Sprintf("Append(%+v, %q), then Parse = %+v, %q, %v", h, p, back, payload, err)
	}
	changed := whole[len("before"):]
	changed[len(p)%len(changed)] ^= 1
	changed[len(changed)-1] ^= 2
	if _, payload, err := envelope.Parse(changed); err == nil {
		return fmt.Sprintf("Parse(%q), where two bits were changed = %q", changed, payload)
	}
	return ""
}

// FuzzJournal: records and what is reported as damage, laid end to end, are the
// file; a record that is written behind any bytes is found.
func FuzzJournal(f *testing.F) {
	last := journalOf(f, "last")
	two := journalOf(f, "\xc1plj\x01", "")
	for i := 0; i < len(two); i += 3 {
		f.Add(two[:i])
		f.Add(append(two[:i:i], two...))
	}
	f.Add(bytes.Repeat([]byte("\xc1plj"), 50))
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, journalPartition(data), journalFinds(data, last))
	})
}

// journalOf returns the bytes of a Journal with these messages.
func journalOf(tb testing.TB, messages ...string) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "journal")
	j, err := envelope.OpenJournal(path)
	if err != nil {
		tb.Fatal(err)
	}
	for i, m := range messages {
		err = errors.Join(err, j.Put(tb.Context(), sysvmsg.Type(i+1), []byte(m), envelope.ErrStale))
	}
	data, readErr := os.ReadFile(path)
	if err := errors.Join(err, readErr, j.Close()); err != nil {
		tb.Fatal(err)
	}
	return data
}

// journalPartition reads data and accounts for every byte of it.
func journalPartition(data []byte) string {
	const header, end = 36, 1 // bytes
	var at int64
	damaged := false
	for rec, err := range envelope.NewJournalReader(iotest.HalfReader(bytes.NewReader(data))).All() {
		if err != nil {
			if damaged || !errors.Is(err, envelope.ErrCorrupt) {
				return fmt.Sprintf("%q: %v; want ErrCorrupt, once for one damage", data, err)
			}
			damaged = true
			continue
		}
		if damaged != (rec.Offset > at) {
			return fmt.Sprintf("%q: a record at %d, the one before ends at %d; damage was reported: %v", data, rec.Offset, at, damaged)
		}
		damaged = false
		at = rec.Offset + int64(header+len(rec.Reason)+len(rec.Message)+end)
		alone, err := envelope.NewJournalReader(bytes.NewReader(data[rec.Offset:at])).Next()
		if err != nil || alone.Type != rec.Type || alone.Done != rec.Done || !bytes.Equal(alone.Message, rec.Message) {
			return fmt.Sprintf("%q: the record at %d is %+v; alone it is %+v, %v", data, rec.Offset, rec, alone, err)
		}
	}
	if damaged != (at < int64(len(data))) {
		return fmt.Sprintf("%q: the last record ends at %d of %d; damage was reported: %v", data, at, len(data), damaged)
	}
	return ""
}

// journalFinds reads data with a record behind it, and wants that.
func journalFinds(data, record []byte) string {
	all := append(data[:len(data):len(data)], record...)
	found := ""
	for rec, err := range envelope.NewJournalReader(bytes.NewReader(all)).All() {
		if err == nil && rec.Offset == int64(len(data)) {
			found = string(rec.Message)
		}
	}
	if found != "last" {
		return fmt.Sprintf("%q: the record behind them is %q; want %q", data, found, "last")
	}
	return ""
}

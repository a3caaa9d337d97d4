//go:build linux

package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/plait-go/plait/uds/batch"
)

// FuzzBatch: a Reader finds the records that arithmetic does, in a stream and in
// packets, however it is cut, and what is wrong where it does; and records come back
// from a Writer through a flaky connection.
func FuzzBatch(f *testing.F) {
	record := "\x00\x00\x00\x03one\x00\x00\x00\x00\x00\x00\x00\x05three"
	for _, data := range []string{"", record, record[:8], record[:14], record + "\x00", record + "\xff\xff\xff\xff1234", record + record} {
		for _, cuts := range [][]byte{nil, {1}, {7, 4, 9}, {3, 200}, {20}} {
			f.Add([]byte(data), cuts, uint8(len(data)), []byte{crumbTimeout, 2, crumbBoth, 30})
		}
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte, size uint8, crumbs []byte) {
		o := &batch.Options{Size: 1 + int(size), Max: 300}
		check(t, batchStream(data, cuts, o), batchPackets(data, cuts, o),
			batchRoundTrip(data, cuts, batch.Stream, o, crumbs), batchRoundTrip(data, cuts, batch.Packets, o, crumbs))
	})
}

// A line is what was sent and is not received yet: packets, or the pieces of a stream.
type line struct {
	pieces [][]byte
	stream bool
	crumbs []byte // decisions of TrySend, as of a flaky sink
}

func (l *line) TryReceive(p []byte) (int, error) {
	if len(l.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.pieces[0])
	if n == len(l.pieces[0]) || !l.stream {
		short := n < len(l.pieces[0])
		l.pieces = l.pieces[1:]
		if short {
			return n, io.ErrShortBuffer
		}
		return n, nil
	}
	l.pieces[0] = l.pieces[0][n:]
	return n, nil
}

func (l *line) TrySend(p []byte) (int, error) {
	n, err := decide(&l.crumbs, len(p))
	if n < len(p) && err == nil {
		err = os.ErrDeadlineExceeded
		if n > 1 && !l.stream {
			err = syscall.EMSGSIZE
		}
	}
	if n < len(p) && !l.stream {
		n = 0
	}
	if n > 0 {
		l.pieces = append(l.pieces, bytes.Clone(p[:n]))
	}
	return n, err
}

// split returns the records at the beginning of b, and where they end.
func split(b []byte, limit int) (records []string, end int) {
	for len(b)-end >= batch.HeaderSize {
		n := uint64(binary.BigEndian.Uint32(b[end:]))
		if n > uint64(len(b)-end-batch.HeaderSize) || n > uint64(limit) {
			break
		}
		next := end + batch.HeaderSize + int(n)
		records = append(records, string(b[end+batch.HeaderSize:next]))
		end = next
	}
	return records, end
}

// batchStream: a Reader of a stream returns its records and says how it ends.
func batchStream(data, cuts []byte, o *batch.Options) string {
	l := &line{stream: true}
	for piece := range chunks(data, cuts) {
		if len(piece) > 0 {
			l.pieces = append(l.pieces, piece)
		}
	}
	want, end := split(data, o.Max)
	rest := data[end:]
	last := io.ErrUnexpectedEOF
	switch {
	case len(rest) == 0:
		last = io.EOF
	case len(rest) >= batch.HeaderSize && uint64(binary.BigEndian.Uint32(rest)) > uint64(o.Max):
		last = batch.ErrTooLong
	}
	r := batch.NewTryReader(l, batch.Stream, o)
	var got []string
	for {
		p, err := r.TryNext()
		if err == nil {
			got = append(got, string(p))
			continue
		}
		if !slices.Equal(got, want) || !errors.Is(err, last) || r.Buffered() > len(rest) {
			return fmt.Sprintf("stream %q in %d: records %q, %v; want %q, %v", data, cuts, got, err, want, last)
		}
		return ""
	}
}

// batchPackets: a Reader of packets returns the records of each, and then what is
// wrong with it, if anything is.
func batchPackets(data, cuts []byte, o *batch.Options) string {
	l := &line{}
	var want []string
	for piece := range chunks(data, cuts) {
		l.pieces = append(l.pieces, piece)
		size := max(o.Size, batch.HeaderSize)
		records, end := split(piece[:min(size, len(piece))], len(piece))
		want = append(want, records...)
		switch {
		case len(piece) > size:
			want = append(want, "short")
		case end < len(piece) || end == 0:
			want = append(want, "corrupt")
		}
	}
	want = append(want, "EOF")
	r := batch.NewTryReader(l, batch.Packets, o)
	var got []string
	for len(got) < len(want)+1 {
		p, err := r.TryNext()
		switch {
		case err == nil:
			got = append(got, string(p))
			continue
		case errors.Is(err, io.ErrShortBuffer):
			got = append(got, "short")
			continue
		case errors.Is(err, batch.ErrCorrupt):
			got = append(got, "corrupt")
			continue
		}
		got = append(got, err.Error())
		break
	}
	if slices.Equal(got, want) {
		return ""
	}
	return fmt.Sprintf("packets %q in %d, Size %d: %q; want %q", data, cuts, o.Size, got, want)
}

// batchRoundTrip: the records that a Writer takes arrive, whatever the connection does,
// and it takes those that are not too long.
func batchRoundTrip(data, cuts []byte, kind batch.Kind, o *batch.Options, crumbs []byte) string {
	l := &line{stream: kind == batch.Stream, crumbs: crumbs}
	w := batch.NewTryWriter(l, kind, o)
	var want []string
	for record := range chunks(data, cuts) {
		err := w.TryAdd(record)
		for err != nil && !errors.Is(err, batch.ErrTooLong) {
			err = w.TryAdd(record) // crumbs come to an end
		}
		if tooLong := len(record) > w.Max(); tooLong != (err != nil) {
			return fmt.Sprintf("TryAdd(%d bytes) = %v; Max() = %d", len(record), err, w.Max())
		}
		if err == nil {
			want = append(want, string(record))
		}
	}
	for w.TryFlush() != nil {
	}
	r := batch.NewTryReader(l, kind, &batch.Options{Size: max(o.Size, batch.HeaderSize), Max: o.Max})
	var got []string
	for {
		p, err := r.TryNext()
		if err == nil {
			got = append(got, string(p))
			continue
		}
		if err != io.EOF || w.Buffered() != 0 || strings.Join(got, "|") != strings.Join(want, "|") {
			return fmt.Sprintf("records %q of %q came back as %q, %v", want, data, got, err)
		}
		return ""
	}
}

//go:build linux

package batch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/uds/batch"
)

// encode returns records in the format of a batch.
func encode(records ...string) []byte {
	var b []byte
	for _, s := range records {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// outcomes reads until there is nothing left, and describes what came.
func outcomes(tb testing.TB, r *batch.TryReader) (all []string) {
	tb.Helper()
	for range 1000 {
		p, err := r.TryNext()
		switch {
		case err == nil:
			all = append(all, string(p))
		case errors.Is(err, errEmpty):
			return all
		default:
			all = append(all, err.Error())
		}
	}
	tb.Fatalf("no end: %q …", all[:10])
	return nil
}

// What is wrong with a packet is told where it is, behind the records before it; the
// packets that follow are not affected.
func TestCorrupt(t *testing.T) {
	for _, tt := range []struct {
		packet string
		want   []string
	}{
		{"", []string{"batch: corrupt packet: it is empty"}},
		{"\x00", []string{"batch: corrupt packet: 1 bytes at byte 0 are no header"}},
		{string(encode("one")) + "\x00\x00\x00", []string{"one", "batch: corrupt packet: 3 bytes at byte 7 are no header"}},
		{"\x00\x00\x00\x01", []string{"batch: corrupt packet: record at byte 0 claims 1 bytes, 0 follow"}},
		{
			string(encode("", "two")) + "\xff\xff\xff\xfffour",
			[]string{"", "two", "batch: corrupt packet: record at byte 11 claims 4294967295 bytes, 4 follow"},
		},
	} {
		f := &fake{queue: [][]byte{[]byte(tt.packet), encode("next")}}
		r := batch.NewTryReader(f, batch.Packets, nil)
		if diff := cmp.Diff(append(tt.want, "next"), outcomes(t, r)); diff != "" {
			t.Errorf("packet %q: -want +got:\n%s", tt.packet, diff)
		}
	}
	r := batch.NewTryReader(&fake{queue: [][]byte{{1}}}, batch.Packets, nil)
	if _, err := r.TryNext(); !errors.Is(err, batch.ErrCorrupt) {
		t.Errorf("TryNext() = %v; want ErrCorrupt", err)
	}
}

// Of a packet that is longer than the buffer the records come that are in it.
func TestShortBuffer(t *testing.T) {
	packet := encode("one", "", "three")
	for size := batch.HeaderSize; size <= len(packet); size++ {
		f := &fake{queue: [][]byte{packet, encode("")}}
		r := batch.NewTryReader(f, batch.Packets, &batch.Options{Size: size})
		var want []string
		for i, end := range []int{7, 11, 20} {
			if end <= size {
				want = append(want, []string{"one", "", "three"}[i])
			}
		}
		if size < len(packet) {
			at := 0
			for _, s := range want {
				at += batch.HeaderSize + len(s)
			}
			want = append(want, fmt.Sprintf("batch: record at byte %d: fake: packet of 20 bytes: short buffer", at))
		}
		if diff := cmp.Diff(append(want, ""), outcomes(t, r)); diff != "" {
			t.Errorf("Size %d: -want +got:\n%s", size, diff)
		}
	}
}

// A stream may be cut anywhere, and may end anywhere: between records that is
// io.EOF, and in one io.ErrUnexpectedEOF.
func TestStreamCuts(t *testing.T) {
	records := []string{"one", "", strings.Repeat("x", 100), "four"}
	stream := encode(records...)
	ends := map[int]bool{0: true}
	for i := range records {
		ends[len(encode(records[:i+1]...))] = true
	}
	for _, size := range []int{1, 5, 16, 64, 1000} {
		for piece := 1; piece <= len(stream); piece++ {
			for end := range len(stream) + 1 {
				f := &fake{kind: batch.Stream, piece: piece, queue: [][]byte{stream[:end]}, ended: io.EOF}
				if end == 0 {
					f.queue = nil
				}
				r := batch.NewReader(f, batch.Stream, &batch.Options{Size: size})
				var got []byte
				var err error
				for err == nil {
					var p []byte
					if p, err = r.Next(t.Context()); err == nil {
						got = append(got, encode(string(p))...)
					}
				}
				want, left := io.ErrUnexpectedEOF, stream[len(got):end]
				if ends[end] {
					want, left = io.EOF, nil
				}
				if err != want || !bytes.HasPrefix(stream, got) || r.Buffered() != len(left) {
					t.Fatalf("Size %d, %d bytes in pieces of %d: %d bytes, then %v, %d bytes pending; want %v, %d",
						size, end, piece, len(got), err, r.Buffered(), want, len(left))
				}
			}
		}
	}
}

// A record that claims to be longer than Max ends the stream, whatever of it is
// there already.
func TestStreamTooLong(t *testing.T) {
	f := &fake{kind: batch.Stream, queue: [][]byte{encode("fits", "too long", "fits")}}
	r := batch.NewTryReader(f, batch.Stream, &batch.Options{Max: 7})
	p, err := r.TryNext()
	if string(p) != "fits" || err != nil {
		t.Fatalf("TryNext() = %q, %v; want the first record", p, err)
	}
	for range 3 {
		if p, err := r.TryNext(); !errors.Is(err, batch.ErrTooLong) {
			t.Errorf("TryNext() = %q, %v; want ErrTooLong", p, err)
		}
	}
}

// What a record claims costs nothing: memory follows what has arrived of it.
func TestClaim(t *testing.T) {
	const arrived = 1 << 20
	stream := append([]byte{0x7f, 0xff, 0xff, 0xf0}, make([]byte, arrived)...)
	f := &fake{kind: batch.Stream, queue: [][]byte{stream}, piece: 10_000}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := batch.NewTryReader(f, batch.Stream, &batch.Options{Max: math.MaxInt32})
	_, err := r.TryNext()
	runtime.ReadMemStats(&after)
	if !errors.Is(err, errEmpty) || r.Buffered() != len(stream) {
		t.Errorf("TryNext() = %v, %d bytes pending; want errEmpty, %d", err, r.Buffered(), len(stream))
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 5*arrived {
		t.Errorf("%d bytes allocated for %d that arrived", n, arrived)
	}
}

// A record is the caller's until the next call, and has no room for more.
func TestAlias(t *testing.T) {
	for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
		f := &fake{kind: kind, queue: [][]byte{encode("one", "two")}}
		r := batch.NewTryReader(f, kind, nil)
		p, err := r.TryNext()
		must(t, err)
		_ = append(p, "????????"...)
		if p, err := r.TryNext(); string(p) != "two" || err != nil {
			t.Errorf("TryNext() = %q, %v after an append to the record before; want \"two\"", p, err)
		}
	}
}

// A mute receives nothing, without an end.
type mute struct{}

func (mute) TryReceive([]byte) (int, error) { return 0, nil }

func TestNoProgress(t *testing.T) {
	r := batch.NewTryReader(mute{}, batch.Stream, nil)
	if _, err := r.TryNext(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("TryNext() = %v; want ErrNoProgress", err)
	}
}

// The buffer for a long record goes with it.
func TestLongRecordGoes(t *testing.T) {
	const long = 8 << 20
	f := &fake{kind: batch.Stream, queue: [][]byte{encode(strings.Repeat("x", long), "short")}}
	r := batch.NewTryReader(f, batch.Stream, &batch.Options{Max: long})
	for range 2 {
		_, err := r.TryNext()
		must(t, err)
	}
	if _, err := r.TryNext(); !errors.Is(err, errEmpty) {
		t.Fatalf("TryNext() = %v; want errEmpty", err)
	}
	f.queue = nil
	with := heap()
	runtime.KeepAlive(r)
	if kept := with - heap(); kept > long/2 {
		t.Errorf("a TryReader keeps %d bytes after a record of %d", kept, long)
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

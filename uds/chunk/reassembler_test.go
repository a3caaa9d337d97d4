//go:build linux

package chunk_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/uds/chunk"
)

// start is when the packets of a test begin to arrive.
func start() time.Time { return time.Unix(1e9, 0) }

// add passes packets on, of which none is the last of a message, or malformed.
func add(tb testing.TB, r *chunk.Reassembler, now time.Time, packets ...[]byte) {
	tb.Helper()
	for _, p := range packets {
		if msg, done, err := r.Add(p, now); msg != nil || done || err != nil {
			tb.Fatalf("Add(%d bytes) = %d bytes, %v, %v; want nothing", len(p), len(msg), done, err)
		}
	}
}

// complete passes a packet on that makes want whole.
func complete(tb testing.TB, r *chunk.Reassembler, now time.Time, packet, want []byte) {
	tb.Helper()
	msg, done, err := r.Add(packet, now)
	if !bytes.Equal(msg, want) || !done || err != nil {
		tb.Fatalf("Add(%d bytes) = %d bytes, %v, %v; want the message of %d", len(packet), len(msg), done, err, len(want))
	}
}

// count compares what was counted with want.
func count(tb testing.TB, r *chunk.Reassembler, want chunk.Stats) {
	tb.Helper()
	got := r.Stats()
	want.Bytes = got.Bytes
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("Stats: -want +got:\n%s", diff)
	}
	if n := unaccounted(got); n != 0 {
		tb.Errorf("%d packets are not accounted for: %+v", n, got)
	}
}

// The chunks of three senders interleave.
func TestInterleave(t *testing.T) {
	var r chunk.Reassembler
	var packets [3][][]byte
	for i := range packets {
		packets[i] = cut(uint64(i), 1, message(i, 1000), 100)
	}
	for k := range 10 {
		for i := range packets {
			if k < 9 {
				add(t, &r, start(), packets[i][k])
			} else {
				complete(t, &r, start(), packets[i][k], message(i, 1000))
			}
		}
		whole := cut(7, uint32(k), message(k, k), 100)
		complete(t, &r, start(), whole[0], message(k, k))
	}
	count(t, &r, chunk.Stats{Packets: 40, Messages: 13, Chunks: 40})
	if n := r.Stats().Bytes; n != 0 {
		t.Errorf("Bytes = %d without messages; want 0", n)
	}
}

// A message in one packet is not copied, and one in chunks has no room for more.
func TestAlias(t *testing.T) {
	var r chunk.Reassembler
	packet := append(cut(1, 1, message(1, 10), 10)[0], "behind"...)
	msg, _, err := r.Add(packet[:34], start())
	must(t, err)
	if &msg[0] != &packet[24] || cap(msg) != len(msg) {
		t.Errorf("Add() = %p with room for %d bytes; want %p, 10", msg, cap(msg), packet[24:])
	}
	for _, n := range []int{200, 100} { // the second one in the memory of the first
		packets := cut(1, 2, message(2, n), 99)
		add(t, &r, start(), packets[:len(packets)-1]...)
		if msg, _, err = r.Add(packets[len(packets)-1], start()); err != nil || len(msg) != n || cap(msg) != n {
			t.Errorf("Add() = %d bytes, with room for %d, %v; want %d", len(msg), cap(msg), err, n)
		}
	}
}

// What lacks its beginning or its middle is dropped, and nothing else is.
func TestLoss(t *testing.T) {
	first, second := cut(1, 1, message(1, 400), 100), cut(1, 2, message(2, 400), 100)
	other := cut(2, 1, message(3, 200), 100)
	for _, tt := range []struct {
		name    string
		packets [][]byte
		want    chunk.Stats
	}{
		{"no beginning", first[1:], chunk.Stats{Packets: 3, Orphans: 3}},
		{"no middle", [][]byte{first[0], first[2], first[3]}, chunk.Stats{Packets: 3, Broken: 1, Lost: 1, Orphans: 2}},
		{"no end", [][]byte{first[0], first[1], second[0]}, chunk.Stats{Packets: 3, Broken: 1, Lost: 2, Held: 1, Incomplete: 1}},
		{"no end, and no beginning of the next", [][]byte{first[0], second[1], second[2]}, chunk.Stats{Packets: 3, Broken: 1, Lost: 1, Orphans: 2}},
		{"the same beginning again", [][]byte{first[0], first[1], first[0]}, chunk.Stats{Packets: 3, Broken: 1, Lost: 2, Held: 1, Incomplete: 1}},
		{"the same chunk again", [][]byte{first[0], first[1], first[1]}, chunk.Stats{Packets: 3, Broken: 1, Lost: 2, Orphans: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r chunk.Reassembler
			add(t, &r, start(), other[0])
			add(t, &r, start(), tt.packets...)
			complete(t, &r, start(), other[1], message(3, 200))
			tt.want.Packets += 2
			tt.want.Messages, tt.want.Chunks = 1, 2
			count(t, &r, tt.want)
		})
	}
}

// A malformed packet is told, and costs only itself.
func TestMalformed(t *testing.T) {
	var r chunk.Reassembler
	packets := cut(1, 1, message(1, 300), 100)
	add(t, &r, start(), packets[0])
	changed := bytes.Clone(packets[1])
	changed[7]++ // total
	for _, tt := range []struct {
		packet []byte
		want   string
	}{
		{nil, "chunk: malformed packet: 0 bytes, a header has 24"},
		{changed, "chunk: malformed packet: total at byte 4 is 301, in the first packet of the message it was 300"},
	} {
		msg, done, err := r.Add(tt.packet, start())
		if msg != nil || done || !errors.Is(err, chunk.ErrMalformed) || err.Error() != tt.want {
			t.Errorf("Add(%x) = %x, %v, %v; want %q", tt.packet, msg, done, err, tt.want)
		}
	}
	add(t, &r, start(), packets[1])
	complete(t, &r, start(), packets[2], message(1, 300))
	count(t, &r, chunk.Stats{Packets: 5, Messages: 1, Chunks: 3, Malformed: 2})
}

func TestOversize(t *testing.T) {
	r := chunk.Reassembler{Limits: chunk.Limits{Message: 100}}
	add(t, &r, start(), cut(1, 1, message(1, 101), 200)...)
	add(t, &r, start(), cut(1, 2, message(1, 101), 100)...)
	complete(t, &r, start(), cut(1, 3, message(1, 100), 100)[0], message(1, 100))
	count(t, &r, chunk.Stats{Packets: 4, Messages: 1, Chunks: 1, Oversize: 2, Orphans: 1})
}

// A message waits for Age, from its last packet on.
func TestAge(t *testing.T) {
	r := chunk.Reassembler{Limits: chunk.Limits{Age: time.Second}}
	slow, stuck := cut(1, 1, message(1, 300), 100), cut(2, 1, message(2, 300), 100)
	add(t, &r, start(), stuck[0])
	add(t, &r, start(), slow[0])
	add(t, &r, start().Add(time.Second), slow[1])
	count(t, &r, chunk.Stats{Packets: 3, Incomplete: 2, Held: 3})
	r.Expire(start().Add(time.Second + 1))
	count(t, &r, chunk.Stats{Packets: 3, Expired: 1, Lost: 1, Incomplete: 1, Held: 2})
	complete(t, &r, start().Add(2*time.Second), slow[2], message(1, 300))
	add(t, &r, start().Add(2*time.Second), stuck[1])
	add(t, &r, start().Add(3*time.Second), slow[0])
	add(t, &r, start().Add(4*time.Second+1), slow[1])
	count(t, &r, chunk.Stats{Packets: 7, Messages: 1, Chunks: 3, Expired: 2, Lost: 2, Orphans: 2})
}

// By default a message waits for ten seconds.
func TestDefaultAge(t *testing.T) {
	var r chunk.Reassembler
	r.Expire(start()) // before there is anything
	add(t, &r, start(), cut(1, 1, message(1, 300), 100)[0])
	r.Expire(start().Add(chunk.DefaultAge))
	count(t, &r, chunk.Stats{Packets: 1, Incomplete: 1, Held: 1})
	r.Expire(start().Add(chunk.DefaultAge + 1))
	count(t, &r, chunk.Stats{Packets: 1, Expired: 1, Lost: 1})
}

// That which has waited longest makes place for a new message.
func TestCount(t *testing.T) {
	r := chunk.Reassembler{Limits: chunk.Limits{Count: 3}}
	var packets [5][][]byte
	for i := range packets {
		packets[i] = cut(uint64(i), 1, message(i, 300), 100)
	}
	for i := range 3 {
		add(t, &r, start(), packets[i][0])
	}
	add(t, &r, start(), packets[0][1])
	add(t, &r, start(), packets[3][0])
	count(t, &r, chunk.Stats{Packets: 5, Evicted: 1, Lost: 1, Incomplete: 3, Held: 4})
	add(t, &r, start(), packets[1][1]) // an orphan now
	complete(t, &r, start(), packets[0][2], message(0, 300))
	add(t, &r, start(), packets[4][0])
	for _, i := range []int{2, 3, 4} {
		add(t, &r, start(), packets[i][1])
		complete(t, &r, start(), packets[i][2], message(i, 300))
	}
	count(t, &r, chunk.Stats{Packets: 14, Messages: 4, Chunks: 12, Evicted: 1, Lost: 1, Orphans: 1})
}

// What does not fit beside the others is dropped, and they stay.
func TestPending(t *testing.T) {
	r := chunk.Reassembler{Limits: chunk.Limits{Pending: 999, Spare: -1}}
	one, two := cut(1, 1, message(1, 600), 200), cut(2, 1, message(2, 600), 200)
	add(t, &r, start(), one[0], one[1], two[0], two[1], two[2])
	count(t, &r, chunk.Stats{Packets: 5, Incomplete: 1, Held: 2, Refused: 1, Lost: 3})
	three := cut(3, 1, message(3, 400), 200)
	add(t, &r, start(), three[0])
	complete(t, &r, start(), three[1], message(3, 400))
	complete(t, &r, start(), one[2], message(1, 600))
	count(t, &r, chunk.Stats{Packets: 8, Messages: 2, Chunks: 5, Refused: 1, Lost: 3})
	if n := r.Stats().Bytes; n != 0 {
		t.Errorf("Bytes = %d without messages; want 0", n)
	}
}

// A claim costs nothing: memory follows what has arrived.
func TestClaim(t *testing.T) {
	const messages, part = 64, 1000
	r := chunk.Reassembler{}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range messages {
		h := chunk.Header{Total: chunk.DefaultMessage, Sender: uint64(i)}
		add(t, &r, start(), append(h.Append(nil), make([]byte, part)...))
	}
	runtime.ReadMemStats(&after)
	if n := r.Stats().Bytes; n > 2*messages*part {
		t.Errorf("Bytes = %d; %d have arrived", n, messages*part)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 10*messages*part {
		t.Errorf("%d bytes allocated, %d have arrived", n, messages*part)
	}
}

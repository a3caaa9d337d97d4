//go:build linux

package fuzz_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/uds/chunk"
)

// FuzzChunk: no packet makes the decoder panic, or hold more than it may; what Parse
// accepts is what Append writes; and a Reassembler returns what the plainest one does.
func FuzzChunk(f *testing.F) {
	h := chunk.Header{Total: 5, ID: 1, Sender: 7}
	whole := string(h.Append(nil)) + "whole"
	for _, data := range []string{"", whole, whole[:24], whole + "x", whole[:26], "\x05\x00\x00\x02\x05\x02\x00\x03", "\x03\x00\x01\x01\x13\x01\x01\x01\x03\x02\x01\x01"} {
		for _, cuts := range [][]byte{nil, {26}, {29}, {1}} {
			f.Add([]byte(data), cuts)
		}
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		check(t, parsed(data, cuts), reassembled(data))
	})
}

// parsed: packets that may be anything are refused, or say what they are.
func parsed(data, cuts []byte) string {
	limits := chunk.Limits{Message: 100, Pending: 300, Count: 3, Spare: 50}
	r := chunk.Reassembler{Limits: limits}
	arrived := 0
	for packet := range chunks(data, cuts) {
		h, part, err := chunk.Parse(packet)
		if err == nil && !bytes.Equal(append(h.Append(nil), part...), packet) {
			return fmt.Sprintf("Parse(%x) = %+v, %x; Append writes %x", packet, h, part, h.Append(nil))
		}
		arrived += len(packet)
		msg, _, _ := r.Add(packet, time.Time{})
		s := r.Stats()
		if len(msg) > limits.Message || s.Bytes > min(limits.Pending, 2*arrived) || s.Incomplete > limits.Count {
			return fmt.Sprintf("Add(%x) = %d bytes; %+v", packet, len(msg), s)
		}
	}
	return ""
}

// reassembled: packets that are mostly as they should be make the messages that they
// should.
func reassembled(data []byte) string {
	type state struct {
		h    chunk.Header
		data []byte
	}
	begun := make(map[uint64]*state)
	var r chunk.Reassembler
	c := choices(data)
	for step := 0; len(c) > 0; step++ {
		h := chunk.Header{Total: uint32(c.pick(20)), ID: uint32(c.pick(3)), Sender: uint64(c.pick(3))}
		m := begun[h.Sender]
		switch c.pick(4) {
		case 0:
			h.Offset = uint32(c.pick(20))
		case 1: // begins a message
		default:
			if m != nil {
				h = m.h
				h.Offset = uint32(len(m.data))
			}
		}
		part := []byte("abcdefghijklmnopqrst")[:c.pick(20)]
		packet := append(h.Append(nil), part...)
		msg, done, err := r.Add(packet, time.Time{})
		room := int(h.Total) - int(h.Offset)
		if bad := room < 0 || len(part) > room || len(part) == 0 && h.Total > 0; bad || h.Offset > 0 && m != nil && m.h.ID == h.ID && m.h.Total != h.Total {
			if err == nil {
				return fmt.Sprintf("step %d: Add(%+v, %d bytes) is no error", step, h, len(part))
			}
			continue
		}
		var want []byte
		switch {
		case h.Offset == 0:
			m = &state{h, bytes.Clone(part)}
			begun[h.Sender] = m
		case m == nil || m.h.ID != h.ID || len(m.data) != int(h.Offset):
			m = nil
			delete(begun, h.Sender)
		default:
			m.data = append(m.data, part...)
		}
		whole := m != nil && len(m.data) == int(h.Total)
		if whole {
			want = m.data
			delete(begun, h.Sender)
		}
		if s := r.Stats(); err != nil || done != whole || !bytes.Equal(msg, want) || s.Incomplete != len(begun) {
			return fmt.Sprintf("step %d: Add(%+v, %d bytes) = %q, %v, %v, %d incomplete; want %q, %v, %d",
				step, h, len(part), msg, done, err, s.Incomplete, want, whole, len(begun))
		}
	}
	return ""
}

// FuzzChunkRoundTrip: messages come back in order, and whole, through a connection
// that is full or short of memory now and then. Lengths cuts data into messages.
func FuzzChunkRoundTrip(f *testing.F) {
	for _, crumbs := range [][]byte{nil, {crumbTimeout}, {9, crumbTimeout, crumbBoth, 30, 0}} {
		f.Add([]byte("a message, and another one, and the rest"), []byte{10, 0, 15}, crumbs, uint8(5), uint8(9), uint16(60))
		f.Add(bytes.Repeat([]byte("long"), 1000), []byte{}, crumbs, uint8(250), uint8(0), uint16(700))
	}
	f.Fuzz(func(t *testing.T, data, lengths, crumbs []byte, size, single uint8, most uint16) {
		o := &chunk.Options{Chunk: 1 + 4*int(size), Single: 1 + 4*int(single)}
		check(t, chunkRoundTrip(data, lengths, &narrow{crumbs: crumbs, most: chunk.HeaderSize + 1 + int(most)}, o))
	})
}

func chunkRoundTrip(data, lengths []byte, n *narrow, o *chunk.Options) string {
	w := chunk.NewTryWriter(n, o)
	var want [][]byte
	for msg := range chunks(data, lengths) {
		for w.TrySend(msg) != nil { // crumbs come to an end
		}
		want = append(want, msg)
	}
	for w.TryFlush() != nil {
	}
	r := chunk.NewTryReader(&n.line, &chunk.ReaderOptions{Packet: n.most})
	for i := 0; ; {
		msg, done, err := r.TryReceive()
		switch {
		case err == io.EOF:
			if s := r.Stats(); i != len(want) || s.Chunks != s.Packets {
				return fmt.Sprintf("%d of %d messages: %+v", i, len(want), s)
			}
			return ""
		case err != nil:
			return fmt.Sprintf("message %d: %v", i, err)
		case done:
			if i == len(want) || !bytes.Equal(msg, want[i]) {
				return fmt.Sprintf("message %d: %q", i, msg)
			}
			i++
		}
	}
}

// A narrow is a line whose packets have most bytes, or for a moment less.
type narrow struct {
	line
	crumbs []byte
	most   int
}

func (n *narrow) MaxMessage() (int, error) { return n.most, nil }

func (n *narrow) TrySendv(bufs ...[]byte) (int, error) {
	p := bytes.Join(bufs, nil)
	if len(p) > n.most {
		return 0, syscall.EMSGSIZE
	}
	switch k, err := decide(&n.crumbs, len(p)); {
	case err != nil:
		return 0, os.ErrDeadlineExceeded
	case k < len(p):
		return 0, syscall.EMSGSIZE
	}
	n.pieces = append(n.pieces, p)
	return len(p), nil
}

//go:build linux

package chunk

// These tests look at the memory itself, which nobody outside can see.

import (
	"io"
	"testing"
	"time"
)

// held returns the memory of all incomplete messages, and of everything.
func (r *Reassembler) held() (incomplete, all int) {
	for _, m := range r.messages {
		incomplete += cap(m.data)
	}
	return incomplete, incomplete + cap(r.spare)
}

// CheckMemory returns what is wrong with the memory of r, which is to be within its
// limits.
func CheckMemory(r *Reassembler) string {
	l := r.limits
	incomplete, all := r.held()
	waiting, unused := 0, 0
	for m := r.waiting.first; m != nil; m = m.next {
		waiting++
	}
	for m := r.unused; m != nil; m = m.next {
		unused++
	}
	switch {
	case incomplete != r.stats.Bytes:
		return "Bytes is not the memory of the incomplete messages"
	case len(r.messages) != r.stats.Incomplete || waiting != r.stats.Incomplete:
		return "Incomplete is not their number"
	case incomplete > l.Pending:
		return "more than Pending"
	case len(r.messages) > l.Count:
		return "more than Count"
	case waiting+unused > l.Count+1:
		return "more records of messages than there can be messages"
	case cap(r.spare) > max(l.Spare, 0):
		return "more than Spare is kept"
	case all > l.Pending+max(l.Spare, 0):
		return "more than the documented sum"
	}
	return ""
}

// The memory of a message that was returned is that of the next one, if it is no more
// than Spare.
func TestSpare(t *testing.T) {
	for _, tt := range []struct {
		spare, length int
		want          bool
	}{
		{0, 1 << 20, true},
		{0, 1<<20 + 1, false},
		{1000, 1000, true},
		{1000, 1001, false},
		{-1, 1000, false},
	} {
		r := Reassembler{Limits: Limits{Spare: tt.spare}}
		var first *byte
		for i := range 2 {
			half := tt.length / 2
			p := &Header{Total: uint32(tt.length), ID: uint32(i)}
			if _, done, err := r.Add(append(p.Append(nil), make([]byte, half)...), time.Time{}); done || err != nil {
				t.Fatalf("Add() = %v, %v", done, err)
			}
			p.Offset = uint32(half)
			msg, done, err := r.Add(append(p.Append(nil), make([]byte, tt.length-half)...), time.Time{})
			if !done || err != nil {
				t.Fatalf("Add() = %v, %v", done, err)
			}
			if fault := CheckMemory(&r); fault != "" {
				t.Fatalf("Spare %d, messages of %d bytes: %s", tt.spare, tt.length, fault)
			}
			if i == 0 {
				first = &msg[0]
			} else if (first == &msg[0]) != tt.want {
				t.Errorf("Spare %d, messages of %d bytes: the same memory is used again: %v; want %v", tt.spare, tt.length, first == &msg[0], tt.want)
			}
		}
	}
}

// A TryWriter does not hold on to messages, nor to much memory for what it could not
// send.
func TestWriterForgets(t *testing.T) {
	for _, tt := range []struct {
		length int
		kept   bool
	}{
		{keep, true},
		{keep + DefaultChunk, true}, // of which a chunk is sent at once
		{2 * keep, false},
	} {
		to := &stubborn{}
		w := NewTryWriter(to, &Options{Single: 1})
		if err := w.TrySend(make([]byte, tt.length)); err != nil || w.Pending() != tt.length-DefaultChunk {
			t.Fatalf("TrySend(%d bytes) = %v, %d bytes pending", tt.length, err, w.Pending())
		}
		to.willing = true
		if err := w.TryFlush(); err != nil {
			t.Fatalf("TryFlush() = %v", err)
		}
		if w.rest != nil || w.parts[0] != nil || w.parts[1] != nil || (w.kept != nil) != tt.kept {
			t.Errorf("message of %d bytes: rest %d, parts %d and %d, memory %d bytes; want none but the last: %v",
				tt.length, len(w.rest), len(w.parts[0]), len(w.parts[1]), cap(w.kept), tt.kept)
		}
	}
}

// A stubborn is a connection that takes one packet, until it is willing.
type stubborn struct {
	taken, willing bool
}

func (s *stubborn) MaxMessage() (int, error) { return 1 << 30, nil }

func (s *stubborn) TrySendv(bufs ...[]byte) (int, error) {
	if s.taken && !s.willing {
		return 0, io.ErrNoProgress
	}
	s.taken = true
	return len(bufs[0]) + len(bufs[1]), nil
}

//go:build linux

package chunk_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/uds/chunk"
)

// The trials of a property are the same ones each time, unless PLAIT_SEED names
// others.
func forAll(t *testing.T, trials int, condition any, gens ...gopter.Gen) {
	t.Helper()
	seed := int64(1)
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		n, err := strconv.ParseInt(text, 0, 64)
		must(t, err)
		seed = n
	}
	parameters := gopter.DefaultTestParametersWithSeed(seed)
	parameters.MinSuccessfulTests = trials
	parameters.MaxSize = 300
	properties := gopter.NewProperties(parameters)
	properties.Property(t.Name(), prop.ForAll(condition, gens...))
	properties.TestingRun(t)
}

// steps make a trial: each is a sender, what he does, and a number.
func steps() gopter.Gen { return gen.SliceOf(gen.UInt16()) }

// A sender sends one message after the other. Whatever happens on the way, it keeps
// the order of its packets.
type sender struct {
	name    uint64
	id      uint32
	packets [][]byte // of the message that are not sent yet
	msg     []byte
	whole   bool // nothing of it was lost so far
}

// next returns the next packet, and whether it is the last one of its message. If
// there is none, a message of n bytes begins.
func (s *sender) next(n int) (packet []byte, last bool) {
	if len(s.packets) == 0 {
		s.id++
		s.msg = message(int(s.name)+int(s.id), n)
		s.packets = cut(s.name, s.id, s.msg, 1+n%97)
		s.whole = true
	}
	packet, s.packets = s.packets[0], s.packets[1:]
	return packet, len(s.packets) == 0
}

// die makes the sender another one, which begins anew.
func (s *sender) die() {
	s.name += 100
	s.packets = nil
}

// Without limits in the way, a message arrives if and only if all its packets do, at
// the last of them, whoever else sends, loses packets, gives up or dies meanwhile.
func TestPropertyDelivery(t *testing.T) {
	forAll(t, 1000, func(steps []uint16) string {
		r := &chunk.Reassembler{}
		senders := [4]sender{{name: 0}, {name: 1}, {name: 2}, {name: 3}}
		added := 0
		for i, step := range steps {
			s, verb, n := &senders[step%4], step/4%16, int(step/64)
			switch verb {
			case 0:
				s.die()
				continue
			case 1: // gives the message up
				s.packets = nil
				continue
			}
			packet, last := s.next(n)
			if verb == 2 { // is lost
				s.whole = false
				continue
			}
			added++
			msg, done, err := r.Add(packet, start())
			want := last && s.whole
			if err != nil || done != want || want && !bytes.Equal(msg, s.msg) {
				return fmt.Sprintf("step %d: Add() = %d bytes, %v, %v; want %v", i, len(msg), done, err, want)
			}
			if fault := sound(r, added); fault != "" {
				return fmt.Sprintf("step %d: %s", i, fault)
			}
		}
		return ""
	}, steps())
}

// Within narrow limits, whatever is delivered is a message that was sent, in the order
// of its sender; everything else is counted, and memory is within the limits.
func TestPropertyLimits(t *testing.T) {
	forAll(t, 1000, func(count, pending uint8, steps []uint16) string {
		limits := chunk.Limits{
			Message: 900, Pending: 300 + 5*int(pending), Count: 1 + int(count)%5, Age: 20 * time.Second, Spare: 10 * int(count),
		}
		r := &chunk.Reassembler{Limits: limits}
		var senders [8]sender
		for i := range senders {
			senders[i].name = uint64(i)
		}
		now, added := start(), 0
		for i, step := range steps {
			s, verb, n := &senders[step%8], step/8%16, int(step/64)
			switch verb {
			case 0:
				s.die()
				continue
			case 1:
				now = now.Add(time.Duration(n) * time.Second / 50)
				continue
			}
			packet, last := s.next(n)
			if verb == 2 {
				continue
			}
			added++
			msg, done, err := r.Add(packet, now)
			if err != nil || done && !(last && bytes.Equal(msg, s.msg)) {
				return fmt.Sprintf("step %d: Add() = %d bytes, %v, %v", i, len(msg), done, err)
			}
			if len(msg) > limits.Message {
				return fmt.Sprintf("step %d: a message of %d bytes", i, len(msg))
			}
			if fault := sound(r, added); fault != "" {
				return fmt.Sprintf("step %d: %s", i, fault)
			}
		}
		r.Expire(now.Add(time.Hour))
		if s := r.Stats(); s.Incomplete != 0 || s.Held != 0 || s.Bytes != 0 {
			return fmt.Sprintf("after an hour: %+v", s)
		}
		return sound(r, added)
	}, gen.UInt8(), gen.UInt8(), steps())
}

// sound returns what is wrong with the counts and the memory of r.
func sound(r *chunk.Reassembler, added int) string {
	s := r.Stats()
	if int(s.Packets) != added || unaccounted(s) != 0 {
		return fmt.Sprintf("%d packets: %+v", added, s)
	}
	if added == 0 {
		return ""
	}
	return chunk.CheckMemory(r)
}

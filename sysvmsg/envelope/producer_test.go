//go:build linux

package envelope_test

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

// Messages allocate nothing.
func TestMessagesAllocateNothing(t *testing.T) {
	leaktest.Check(t)
	q := queue(t, 0)
	p, c := envelope.NewProducer(q, 0), consumer(t, q, envelope.Drop{}, nil)
	ctx, payload := within(t), make([]byte, 1024)
	n := testing.AllocsPerRun(1000, func() {
		must(t, p.Send(ctx, 1, payload))
		_, err := c.Receive(ctx, sysvmsg.Any())
		must(t, err)
	})
	try := testing.AllocsPerRun(1000, func() {
		must(t, p.TrySend(1, payload))
		_, err := c.TryReceive(sysvmsg.Any())
		must(t, err)
	})
	if n > allowed || try > allowed {
		t.Errorf("a message: %v allocations, %v by the Try verbs; want %d", n, try, allowed)
	}
}

// One Producer and many goroutines, of which some have payloads that its kept
// buffers have no room for, and a queue that is full most of the time.
func TestProducerForManyGoroutines(t *testing.T) {
	leaktest.Check(t)
	const senders, each = 8, 500
	q := queue(t, 0)
	p, c := envelope.NewProducer(q, 0), consumer(t, q, &memory{}, nil)
	ctx := within(t)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				payload := make([]byte, 2+(s*i)%6000)
				binary.BigEndian.PutUint16(payload, uint16(i))
				for k := range payload[2:] {
					payload[2+k] = byte(s + i + k)
				}
				if err := p.Send(ctx, sysvmsg.Type(s+1), payload); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var next [senders]int
	for range senders * each {
		m, err := c.Receive(ctx, sysvmsg.Any())
		if err != nil {
			t.Fatal(err)
		}
		s := int(m.Type) - 1
		i := int(binary.BigEndian.Uint16(m.Payload))
		if i != next[s] || len(m.Payload) != 2+(s*i)%6000 {
			t.Fatalf("sender %d: message %d of %d bytes; want message %d", s, i, len(m.Payload), next[s])
		}
		for k, b := range m.Payload[2:] {
			if b != byte(s+i+k) {
				t.Fatalf("sender %d, message %d, byte %d = %d; want %d", s, i, k, b, byte(s+i+k))
			}
		}
		next[s]++
	}
	wg.Wait()
	wantStats(t, c, envelope.Stats{Received: senders * each})
}

// A name of a process may look like the fields behind it.
func TestSelf(t *testing.T) {
	const file = "/proc/self/comm"
	before, err := os.ReadFile(file)
	must(t, err)
	want := envelope.Self()
	if want.PID != uint32(os.Getpid()) || want.Start == 0 {
		t.Errorf("Self() = %v; want process %d, and when it began", want, os.Getpid())
	}
	for _, name := range []string{"a b c", "a) R 1 2 3", "((((", "))))"} {
		if err := os.WriteFile(file, []byte(name), 0); err != nil {
			t.Skipf("cannot rename this process: %v", err)
		}
		if got := envelope.Self(); got != want {
			t.Errorf("Self() of a process named %q = %v; want %v", name, got, want)
		}
	}
	must(t, os.WriteFile(file, before[:len(before)-1], 0))
}

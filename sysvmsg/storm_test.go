//go:build linux

package sysvmsg_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

const (
	numbers     = 100_000 // messages of a storm
	numberTypes = 4
)

// storm sends signals to all threads of the process, until the function that it
// returns is called: SIGURG as the runtime does to preempt, and SIGCHLD as the kernel
// does when a child ends.
func storm() (calm func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		next := time.NewTicker(50 * time.Microsecond)
		defer next.Stop()
		for {
			select {
			case <-end:
				return
			case <-next.C:
			}
			tasks, _ := os.ReadDir("/proc/self/task") // none: the next time
			for _, task := range tasks {
				if thread, err := strconv.Atoi(task.Name()); err == nil {
					_ = unix.Tgkill(os.Getpid(), thread, unix.SIGURG)  // it may have ended
					_ = unix.Tgkill(os.Getpid(), thread, unix.SIGCHLD) // it may have ended
				}
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// sendNumbers is a child that sends numbers, of each type in order, in a storm.
func sendNumbers(q *sysvmsg.Queue) error {
	defer storm()()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	buf := make([]byte, 4)
	for i := range uint32(numbers) {
		binary.BigEndian.PutUint32(buf, i/numberTypes)
		if err := q.Send(ctx, sysvmsg.Type(1+i%numberTypes), buf); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// In a storm of signals between two processes nothing is lost, nothing comes twice,
// and of each type all comes in order.
func TestStormOfSignals(t *testing.T) {
	checkLeaks(t)
	q := private(t, 400) // small, so that both sides wait often
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	defer storm()()
	sender := startChild(t, "number", q.ID(), nil)
	var next sequence
	for range numbers {
		must(t, next.receive(ctx, q))
	}
	sender.end(t)
	wantCount(t, q, 0, 0)
}

// A sequence has the numbers that are to come next, of each type.
type sequence [numberTypes]uint32

// receive receives one of them.
func (next *sequence) receive(ctx context.Context, q *sysvmsg.Queue) error {
	buf := make([]byte, 8)
	n, typ, err := q.Receive(ctx, sysvmsg.Any(), buf)
	if err != nil || n != 4 || typ < 1 || typ > numberTypes {
		return fmt.Errorf("behind %d: Receive = %d, %d, %w; want 4 bytes", *next, n, typ, err)
	}
	if got, want := binary.BigEndian.Uint32(buf), next[typ-1]; got != want {
		return fmt.Errorf("type %d: received number %d; want %d", typ, got, want)
	}
	next[typ-1]++
	return nil
}

// A sender that is killed at any moment has sent each message whole, once and in
// order, or not at all.
func TestKilledSenders(t *testing.T) {
	checkLeaks(t)
	q := private(t, 400)
	ctx := within(t)
	for range 10 {
		sender := startChild(t, "number", q.ID(), nil)
		var next sequence
		for range 1 + rand.IntN(2000) {
			must(t, next.receive(ctx, q))
		}
		sender.kill(t)
		left, err := q.Stat()
		must(t, err)
		for range left.Messages {
			must(t, next.receive(ctx, q))
		}
		wantCount(t, q, 0, 0)
		if first, last := next[0], next[numberTypes-1]; first-last > 1 {
			t.Errorf("received up to %d; want the types in turn", next)
		}
	}
}

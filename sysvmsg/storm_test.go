//go:build linux

package sysvmsg_test

import (
	"context"
	"encoding/binary"
	"fmt"
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
	var next [numberTypes]uint32
	buf := make([]byte, 8)
	for i := range numbers {
		n, typ, err := q.Receive(ctx, sysvmsg.Any(), buf)
		if err != nil || n != 4 || typ < 1 || typ > numberTypes {
			t.Fatalf("message %d: Receive = %d, %d, %v; want 4 bytes", i, n, typ, err)
		}
		if got, want := binary.BigEndian.Uint32(buf), next[typ-1]; got != want {
			t.Fatalf("message %d of type %d has number %d; want %d", i, typ, got, want)
		}
		next[typ-1]++
	}
	sender.end(t)
	wantCount(t, q, 0, 0)
}

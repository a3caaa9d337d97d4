//go:build linux

package uds_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A teller is a child that tells numbers, one a line, until it is killed.
type teller struct {
	child *child
	mu    sync.Mutex
	told  []int
	some  chan struct{} // closed when there are enough
	over  chan struct{} // closed behind the last
}

// startTeller starts a program with descriptor 3, whose numbers are enough for some
// when there are that many.
func startTeller(tb testing.TB, name string, args []string, f *os.File, enough int) *teller {
	tb.Helper()
	t := &teller{child: startChild(tb, name, args, f), some: make(chan struct{}), over: make(chan struct{})}
	go func() { // until the child's end
		defer close(t.over)
		for lines := bufio.NewScanner(t.child.out); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				break
			}
			t.mu.Lock()
			if t.told = append(t.told, n); len(t.told) == enough {
				close(t.some)
			}
			t.mu.Unlock()
		}
	}()
	return t
}

// kill kills the child when it has told enough, or everything, and returns what it
// told.
func (t *teller) kill(tb testing.TB) []int {
	tb.Helper()
	select {
	case <-t.some:
	case <-t.over:
	}
	_ = t.child.cmd.Process.Kill() // it may have ended by itself
	<-t.over                       // before Wait, which closes the pipe
	t.child.over = true
	_ = t.child.cmd.Wait() // it says that the child was killed
	return t.told
}

// takeChild receives on descriptor 3, and tells the number of each message, or every
// digit of a Stream.
func takeChild([]string) error {
	c, err := uds.FromFile(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	p := make([]byte, 100)
	if c.Kind() == uds.Stream {
		p = p[:1]
	}
	for {
		n, err := c.Receive(ctx, p)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := say(string(p[:n])); err != nil {
			return err
		}
	}
}

// tellChild sends numbered messages on descriptor 3, and tells the number of each.
func tellChild(args []string) error {
	c, err := uds.FromFile(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	for i := 0; ; i++ {
		if _, err := c.Send(ctx, fmt.Appendf(nil, "%s %d", args[0], i)); err != nil {
			return err
		}
		if err := say(i); err != nil {
			return err
		}
	}
}

// Receivers are killed while the parent keeps their end open: each loses the one
// message that it had taken and not told at most, and nothing comes twice or out of
// order. They share the end, or come one after the other.
func TestKilledReceivers(t *testing.T) {
	const kills = 6
	for _, kind := range packets() {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, together %v", kind, together), func(t *testing.T) {
				leaktest.Check(t)
				random := rand.New(rand.NewPCG(newSeed(t), 0))
				a, b := pair(t, kind)
				f, err := b.File()
				must(t, err)
				ctx, stop := context.WithCancelCause(patient(t))
				call := make(chan error, 1)
				sent := 0
				go func() { call <- sendNumbers(ctx, a, &sent) }()
				var all []*teller
				var told [][]int
				for range kills {
					all = append(all, startTeller(t, "take", nil, f, 1+random.IntN(300)))
					if !together {
						told = append(told, all[0].kill(t))
						all = nil
					}
				}
				for _, taker := range all {
					told = append(told, taker.kill(t))
				}
				must(t, f.Close())
				stop(errEnough)
				if err := result(t, call); !errors.Is(err, errEnough) {
					t.Errorf("Send: %v, want it to wait until it is cancelled", err)
				}
				checkTold(t, append(told, drainNumbers(t, b)), sent, kills)
			})
		}
	}
}

// drainNumbers receives what is there.
func drainNumbers(tb testing.TB, c *uds.Conn) (numbers []int) {
	tb.Helper()
	for p := make([]byte, 100); ; {
		n, err := c.TryReceive(p)
		if err == uds.ErrEmpty {
			return numbers
		}
		must(tb, err)
		number, err := strconv.Atoi(string(p[:n]))
		must(tb, err)
		numbers = append(numbers, number)
	}
}

// checkTold fails tb unless the numbers that each receiver told are in order, and all
// together those from 0 to sent, once, but for a few.
func checkTold(tb testing.TB, told [][]int, sent, few int) {
	tb.Helper()
	seen := make(map[int]bool)
	for _, numbers := range told {
		if !slices.IsSorted(numbers) {
			tb.Errorf("messages came out of order: %v", numbers)
		}
		for _, number := range numbers {
			if seen[number] || number >= sent {
				tb.Errorf("message %d of %d came twice, or from nowhere", number, sent)
			}
			seen[number] = true
		}
	}
	if lost := sent - len(seen); lost > few {
		tb.Errorf("%d of %d messages are lost, want %d at most", lost, sent, few)
	}
}

// sendNumbers sends the numbers from *sent on until it cannot.
func sendNumbers(ctx context.Context, c *uds.Conn, sent *int) error {
	for ; ; *sent++ {
		if _, err := c.Send(ctx, []byte(digits(c.Kind(), *sent))); err != nil {
			return err
		}
	}
}

// digits returns those of a number, the first one only for a Stream, which has no
// boundaries.
func digits(kind uds.Kind, number int) string {
	s := strconv.Itoa(number)
	if kind == uds.Stream {
		s = s[:1]
	}
	return s
}

// Senders are killed while they share an end: what each told it had sent arrives, and
// perhaps one more of each, in its order and once.
func TestKilledSenders(t *testing.T) {
	const senders = 5
	for _, kind := range packets() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			random := rand.New(rand.NewPCG(newSeed(t), 0))
			a, b := pair(t, kind)
			f, err := a.File()
			must(t, err)
			received := make(chan error, 1)
			next := make([]int, senders)
			go func() { received <- count(b, next) }()
			var all []*teller
			for i := range senders {
				all = append(all, startTeller(t, "tell", []string{strconv.Itoa(i)}, f, 1+random.IntN(300)))
			}
			told := make([]int, senders)
			for i, sender := range all {
				told[i] = len(sender.kill(t))
			}
			must(t, f.Close())
			_, err = a.Send(patient(t), []byte("end"))
			must(t, err)
			must(t, result(t, received))
			for i := range senders {
				if next[i] < told[i] || next[i] > told[i]+1 {
					t.Errorf("%d messages of sender %d came, it told of %d", next[i], i, told[i])
				}
			}
		})
	}
}

// count receives messages "sender number" until "end", and counts those of each
// sender, which must come in order.
func count(c *uds.Conn, next []int) error {
	ctx, cancel := within()
	defer cancel()
	for p := make([]byte, 100); ; {
		n, err := c.Receive(ctx, p)
		if err != nil || string(p[:n]) == "end" {
			return err
		}
		var sender, number int
		if _, err := fmt.Sscan(string(p[:n]), &sender, &number); err != nil {
			return err
		}
		if number != next[sender] {
			return fmt.Errorf("message %d of sender %d, want %d", number, sender, next[sender])
		}
		next[sender]++
	}
}

// A receiver that has the last descriptor of its end takes what is queued with it.
// What it got before is the beginning of what was sent.
func TestKilledLastReceiver(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			random := rand.New(rand.NewPCG(newSeed(t), 0))
			a, b := pair(t, kind)
			f, err := b.File()
			must(t, err)
			taker := startTeller(t, "take", nil, f, 1+random.IntN(300))
			must(t, errors.Join(f.Close(), b.Close()))
			call := make(chan error, 1)
			sent := 0
			go func() { call <- sendNumbers(t.Context(), a, &sent) }()
			told := taker.kill(t)
			if err := result(t, call); !errors.Is(err, uds.ErrPeerClosed) {
				t.Errorf("Send = %v, want ErrPeerClosed", err)
			}
			if len(told) > sent {
				t.Errorf("%d messages came, %d were sent", len(told), sent)
			}
			for i, number := range told {
				if strconv.Itoa(number) != digits(kind, i) {
					t.Fatalf("message %d came in place of %d", number, i)
				}
			}
		})
	}
}

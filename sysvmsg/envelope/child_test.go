//go:build linux

package envelope_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

// lead is how many lines a consumer may be ahead of who reads them.
const lead = 20

// consumeProgram prints every payload that it receives from queue args[0], until it
// is killed, and reads a byte for every so many lines; dirt goes to the journal
// args[1].
func consumeProgram(args []string) error {
	q, err := openArgument(args[0])
	if err != nil {
		return err
	}
	j, err := envelope.OpenJournal(args[1])
	if err != nil {
		return err
	}
	c, err := envelope.NewConsumer(q, j, nil)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		m, err := c.Receive(context.Background(), sysvmsg.Any())
		if err != nil {
			return err
		}
		if n%lead == 0 {
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(os.Stdout, "%s\n", m.Payload); err != nil {
			return err
		}
	}
}

// produceProgram sends the numbers up to args[1] to queue args[0], and dirt before
// every tenth one.
func produceProgram(args []string) error {
	q, err := openArgument(args[0])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	p := envelope.NewProducer(q, 0)
	for i := range n {
		if i%10 == 0 {
			err = q.Send(context.Background(), 2, fmt.Appendf(nil, "dirt %d", i))
		}
		if err == nil {
			err = p.Send(context.Background(), 1, fmt.Append(nil, i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Consumers are killed while they work. What each has in hand then may be lost, one
// message, in order or not; nothing else is, and nothing is received twice.
func TestConsumersKilled(t *testing.T) {
	leaktest.Check(t)
	const messages, kills = 3000, 8
	q := queue(t, 0)
	id, path := strconv.Itoa(q.ID()), filepath.Join(t.TempDir(), "journal")
	producer := child(t, "produce", id, strconv.Itoa(messages))
	must(t, producer.Start())
	seen := make(map[string]int)
	for range kills {
		countUntilKilled(t, child(t, "consume", id, path), seen, messages/kills/2)
	}
	c := consumer(t, q, openJournal(t, path), nil)
	drain(t, c, seen, producer)
	received, dirt := 0, 0
	for s, n := range seen {
		if i, err := strconv.Atoi(s); n != 1 || err != nil || i < 0 || i >= messages {
			t.Errorf("%q was received %d times; want a number, and once", s, n)
		}
		received++
	}
	// What was being written when its process was killed is whole or not there.
	for rec, err := range envelope.NewJournalReader(openReadOnly(t, path)).All() {
		if err != nil || !strings.HasPrefix(string(rec.Message), "dirt ") {
			t.Errorf("journal: %q, %v; want dirt", rec.Message, err)
		}
		dirt++
	}
	if lost := messages + messages/10 - received - dirt; lost < 0 || lost > kills {
		t.Errorf("%d messages and %d of dirt have arrived, %d are lost; want %d at most", received, dirt, lost, kills)
	}
}

// countUntilKilled counts the lines of a child, and kills it after some of them.
func countUntilKilled(tb testing.TB, cmd *exec.Cmd, seen map[string]int, lines int) {
	tb.Helper()
	in, err := cmd.StdinPipe()
	must(tb, err)
	out, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	n := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); n++ {
		seen[scanner.Text()]++
		if n%lead == 0 && n <= lines {
			_, err := in.Write([]byte{'.'})
			must(tb, err)
		}
		if n == lines {
			must(tb, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); n <= lines || err == nil {
		tb.Fatalf("the child has ended after %d lines with %v; want it killed after %d", n, err, lines)
	}
}

// drain receives until the producer has ended, and then what there still is.
func drain(tb testing.TB, c *envelope.Consumer, seen map[string]int, producer *exec.Cmd) {
	tb.Helper()
	ctx, cancel := context.WithCancel(within(tb))
	ended := make(chan error, 1)
	go func() { // ends with the child, whose messages are received below
		ended <- producer.Wait()
		cancel()
	}()
	for {
		m, err := c.Receive(ctx, sysvmsg.Any())
		if errors.Is(err, context.Canceled) {
			break
		}
		must(tb, err)
		seen[string(m.Payload)]++
	}
	must(tb, <-ended)
	for {
		m, err := c.TryReceive(sysvmsg.Any())
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return
		}
		must(tb, err)
		seen[string(m.Payload)]++
	}
}

// limitedProgram writes to the journal args[0] until the file may not grow, and then
// once more when it may.
func limitedProgram(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := envelope.OpenJournal(args[0])
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	limit := old
	limit.Cur = 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	first := j.Put(context.Background(), 1, []byte("first"), envelope.ErrForeign)
	second := j.Put(context.Background(), 2, []byte("second"), envelope.ErrForeign)
	if first != nil || !errors.Is(second, syscall.EFBIG) {
		return fmt.Errorf("first: %w; second: %w; want no error, then EFBIG", first, second)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	return j.Put(context.Background(), 2, []byte("second"), envelope.ErrForeign)
}

// A record that the disk had no room for is passed over, and its repetition is found.
func TestJournalOnAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	must(t, child(t, "limited", path).Run())
	data, err := os.ReadFile(path)
	must(t, err)
	puts, errs := readJournal(strings.NewReader(string(data)))
	want := []put{{1, "first", "foreign message"}, {2, "second", "foreign message"}}
	if diff := cmp.Diff(want, puts); diff != "" || len(errs) != 1 {
		t.Errorf("errors %q, want one; records (-want +got):\n%s", errs, diff)
	}
}

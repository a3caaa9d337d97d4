//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// exitCode waits for a child.
func exitCode(tb testing.TB, cmd *exec.Cmd) int {
	tb.Helper()
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		tb.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// From one msgq to another, by pipes and a queue that is smaller than what goes
// through.
func TestPipeline(t *testing.T) {
	q, id := queue(t, 1000)
	const lines = 5000
	var all strings.Builder
	for i := range lines {
		fmt.Fprintf(&all, "line %d\n", i)
	}
	sender := child(t, "send", "-id", id)
	sender.Stdin = strings.NewReader(all.String())
	receiver := child(t, "receive", "-id", id, "-count", fmt.Sprint(lines), "-wait", "forever")
	var out, complaints strings.Builder
	receiver.Stdout, receiver.Stderr, sender.Stderr = &out, &complaints, os.Stderr
	must(t, receiver.Start())
	must(t, sender.Run())
	if code := exitCode(t, receiver); code != exitDone || out.String() != all.String() || complaints.Len() > 0 {
		t.Errorf("exit code %d, %d bytes, complaint %q; want %d, and all lines", code, out.Len(), complaints.String(), exitDone)
	}
	if rest := content(t, q); rest != nil {
		t.Errorf("in the queue: %v; want nothing", rest)
	}
}

// As with head -n 1: the reader leaves, and the message that was in hand is not lost.
func TestReaderGoesAway(t *testing.T) {
	q, id := queue(t, 0)
	put(t, q, 1, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	cmd := child(t, "receive", "-id", id, "-raw", "-follow")
	out, err := cmd.StdoutPipe()
	must(t, err)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	must(t, cmd.Start())
	seen := make(map[string]bool)
	scanner := bufio.NewScanner(out)
	for len(seen) < 10 && scanner.Scan() {
		seen[scanner.Text()] = true
	}
	must(t, out.Close())
	put(t, q, 1, "nobody reads this")
	if code := exitCode(t, cmd); code != exitDone || complaints.Len() > 0 || len(seen) != 10 {
		t.Errorf("exit code %d, complaint %q, messages %v; want %d and no complaint", code, complaints.String(), seen, exitDone)
	}
	if rest := content(t, q); len(rest) != 1 || rest[0].Text != "nobody reads this" {
		t.Errorf("in the queue: %v; want the message that could not be printed", rest)
	}
}

// A signal in the middle of a drain: each message is printed or in the queue, once.
func TestDrainInterrupted(t *testing.T) {
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM} {
		q, id := queue(t, 0)
		const messages = 2000
		for i := range messages {
			put(t, q, 1, fmt.Sprint(i))
		}
		cmd := child(t, "receive", "-id", id, "-raw", "-count", "0", "-wait", "forever")
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		seen := make(map[string]int)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			seen[scanner.Text()]++
			if len(seen) == messages/10 {
				must(t, cmd.Process.Signal(s))
			}
		}
		if code := exitCode(t, cmd); code != exitInterrupted {
			t.Errorf("%v: exit code %d; want %d", s, code, exitInterrupted)
		}
		for _, m := range content(t, q) {
			seen[m.Text]++
		}
		for i := range messages {
			if n := seen[fmt.Sprint(i)]; n != 1 {
				t.Errorf("%v: message %d was seen %d times; want once", s, i, n)
			}
		}
	}
}

// A signal while standard input has nothing to say.
func TestSendInterruptedInRead(t *testing.T) {
	q, id := queue(t, 0)
	cmd := child(t, "send", "-id", id, "-raw")
	in, err := cmd.StdinPipe()
	must(t, err)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	must(t, cmd.Start())
	_, err = io.WriteString(in, "first\n")
	must(t, err)
	_, _, err = q.Receive(within(t), sysvmsg.Any(), make([]byte, 10)) // it is at work
	must(t, err)
	must(t, cmd.Process.Signal(unix.SIGTERM))
	if code := exitCode(t, cmd); code != exitInterrupted || !strings.Contains(complaints.String(), "after 1 messages") {
		t.Errorf("exit code %d, complaint %q; want %d, and how many were sent", code, complaints.String(), exitInterrupted)
	}
}

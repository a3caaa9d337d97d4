//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// leaveMessages is a child that creates a queue, and leaves seven messages in it.
func leaveMessages(key sysvmsg.Key) error {
	q, err := sysvmsg.Open(key, &sysvmsg.Options{Create: sysvmsg.CreateExclusive})
	if err != nil {
		return err
	}
	for i := range 7 {
		err = errors.Join(err, q.TrySend(1, []byte(strconv.Itoa(i))))
	}
	return err
}

// takeOne is a child that receives a message, says it, and does nothing more.
func takeOne(q *sysvmsg.Queue) error {
	buf := make([]byte, 100)
	n, _, err := q.Receive(context.Background(), sysvmsg.Any(), buf)
	if err != nil {
		return err
	}
	if err := say("%s", buf[:n]); err != nil {
		return err
	}
	return linger()
}

// workOff is a child that says what it receives, until nothing is there.
func workOff(q *sysvmsg.Queue) error {
	buf := make([]byte, 100)
	for {
		n, _, err := q.TryReceive(sysvmsg.Any(), buf)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return say("done")
		}
		if err == nil {
			err = say("%s", buf[:n])
		}
		if err != nil {
			return err
		}
	}
}

// Messages outlive all processes, and whoever comes later can tell.
func TestMessagesOutliveTheirSender(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	startChild(t, "leave", int(key), nil).end(t)
	q, err := sysvmsg.Open(key, nil)
	must(t, err)
	removeAtEnd(t, q)
	if q.Created() {
		t.Error("Created() = true; want false")
	}
	wantCount(t, q, 7, 7)

	worker := startChild(t, "work", q.ID(), nil)
	for i := range 7 {
		if got := worker.hear(t); got != strconv.Itoa(i) {
			t.Errorf("the worker received %q; want %d", got, i)
		}
	}
	worker.end(t)
	wantCount(t, q, 0, 0)
}

// Open and Discard get rid of what an earlier run has left.
func TestDiscardWhatIsLeft(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	startChild(t, "leave", int(key), nil).end(t)
	q, err := sysvmsg.Open(key, nil)
	must(t, err)
	removeAtEnd(t, q)
	discarded := 0
	for {
		if _, err = q.Discard(sysvmsg.Any()); err != nil {
			break
		}
		discarded++
	}
	if discarded != 7 || !errors.Is(err, sysvmsg.ErrEmpty) {
		t.Errorf("%d discarded, then %v; want 7, %v", discarded, err, sysvmsg.ErrEmpty)
	}
	wantCount(t, q, 0, 0)
}

// A receiver that dies takes with it the message that it had received, and no other.
func TestKilledReceiver(t *testing.T) {
	checkLeaks(t)
	const messages = 20
	q := private(t, 0)
	var want []string
	for i := range messages {
		text := fmt.Sprintf("task %d", i)
		send(t, q, 1, text)
		want = append(want, text)
	}
	victim := startChild(t, "take", q.ID(), nil)
	lost := victim.hear(t)
	victim.kill(t)

	var got []string
	siblings := []*child{startChild(t, "work", q.ID(), nil), startChild(t, "work", q.ID(), nil)}
	for _, c := range siblings {
		for line := c.hear(t); line != "done"; line = c.hear(t) {
			got = append(got, line)
		}
		c.end(t)
	}
	slices.SortFunc(got, func(a, b string) int { return slices.Index(want, a) - slices.Index(want, b) })
	want = slices.DeleteFunc(want, func(text string) bool { return text == lost })
	if !slices.Equal(got, want) {
		t.Errorf("%q was lost; the others received %s; want %s", lost, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// waits reports whether a thread of the child waits in msgrcv(2), or may not be
// inspected. See proc_pid_syscall(5).
func (c *child) waits() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/syscall", c.cmd.Process.Pid)) // the pattern is a good one
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrPermission) || strings.HasPrefix(string(text), fmt.Sprint(unix.SYS_MSGRCV, " ")) {
			return true
		}
	}
	return false
}

// One who waits in the kernel and is killed has taken nothing.
func TestKilledWhileWaiting(t *testing.T) {
	checkLeaks(t)
	q := private(t, 0)
	for range 5 {
		c := startChild(t, "take", q.ID(), nil)
		eventually(t, "the child waits", c.waits)
		c.kill(t)
	}
	send(t, q, 1, "x")
	wantMessage(t, q, sysvmsg.Any(), 1, "x")
}

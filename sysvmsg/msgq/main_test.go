//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

// The test binary is msgq where this variable is set.
const childVariable = "PLAIT_MSGQ_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
	}
	m.Run()
}

// testPatience is how long a test waits for what must come.
const testPatience = 30 * time.Second

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// within returns a context for what must not take long.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), testPatience)
	tb.Cleanup(cancel)
	return ctx
}

// child returns msgq as a process of its own.
func child(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.CommandContext(within(tb), self, args...)
	// The race detector has a program sleep for a second before it exits.
	cmd.Env = append(os.Environ(), childVariable+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	return cmd
}

// queue returns a new queue with a capacity in bytes, 0 being the usual one, and how
// the command line names it. It is gone at the end of the test.
func queue(tb testing.TB, capacity int) (q *sysvmsg.Queue, id string) {
	tb.Helper()
	leaktest.Check(tb)
	q, err := sysvmsg.Open(sysvmsg.Private, &sysvmsg.Options{Capacity: capacity})
	must(tb, err)
	removeAtEnd(tb, q)
	return q, strconv.Itoa(q.ID())
}

// removeAtEnd removes q at the end of the test, unless that has done so.
func removeAtEnd(tb testing.TB, q *sysvmsg.Queue) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := q.Remove(); err != nil && !errors.Is(err, sysvmsg.ErrRemoved) {
			tb.Error(err)
		}
		queues, err := sysvmsg.List()
		if err != nil || slices.ContainsFunc(queues, func(s sysvmsg.Stat) bool { return s.ID == q.ID() }) {
			tb.Errorf("%v is there after the test, or %v", q, err)
		}
	})
}

// pack puts a payload in an envelope.
func pack(tb testing.TB, h envelope.Header, payload string) []byte {
	tb.Helper()
	p, err := envelope.Append(nil, h, []byte(payload))
	must(tb, err)
	return p
}

// put sends messages as they are.
func put(tb testing.TB, q *sysvmsg.Queue, t sysvmsg.Type, messages ...string) {
	tb.Helper()
	for _, m := range messages {
		must(tb, q.TrySend(t, []byte(m)))
	}
}

// A message is one that is in a queue.
type message struct {
	Type sysvmsg.Type
	Text string
}

// content takes all messages from a queue.
func content(tb testing.TB, q *sysvmsg.Queue) []message {
	tb.Helper()
	var all []message
	buf := make([]byte, 8192)
	for {
		n, t, err := q.TryReceive(sysvmsg.Any(), buf)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return all
		}
		must(tb, err)
		all = append(all, message{t, string(buf[:n])})
	}
}

// A result is what a run has come to.
type result struct {
	code     int
	out, err string
}

// msgq runs the program with nothing on its standard input.
func msgq(tb testing.TB, args ...string) result {
	tb.Helper()
	return msgqOf(tb, within(tb), "", args...)
}

// msgqOf runs the program with this standard input.
func msgqOf(tb testing.TB, ctx context.Context, in string, args ...string) result {
	tb.Helper()
	var out, complaints bytes.Buffer
	code := run(ctx, args, strings.NewReader(in), &out, &complaints)
	return result{code, out.String(), complaints.String()}
}

// want fails tb unless a run came to this code, and printed this, and complained of
// something that has these words, or of nothing.
func (r result) want(tb testing.TB, code int, out string, words ...string) {
	tb.Helper()
	if r.code != code || r.out != out || (r.err == "") != (len(words) == 0) {
		tb.Errorf("exit code %d, output %q, complaint %q; want %d, %q, %q", r.code, r.out, r.err, code, out, words)
	}
	for _, w := range words {
		if !strings.Contains(r.err, w) {
			tb.Errorf("complaint %q; want %q in it", r.err, w)
		}
	}
}

// tooMany are more bytes than a message can have.
func tooMany(tb testing.TB) string {
	tb.Helper()
	limits, err := sysvmsg.ReadLimits()
	must(tb, err)
	return strings.Repeat("x", limits.Message+1)
}

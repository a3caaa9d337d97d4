//go:build linux

package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func TestSendRaw(t *testing.T) {
	q, id := queue(t, 0)
	msgq(t, "send", "-id", id, "-raw", "hello", "", "wo\nrld").want(t, exitDone, "")
	msgq(t, "send", "-id", id, "-raw", "-type", "7", "--", "-dash").want(t, exitDone, "")
	for _, in := range []string{"", "one\n", "no line feed", "\n\r\n\x00\xff"} {
		msgqOf(t, within(t), in, "send", "-id", id, "-raw", "-type", "2").want(t, exitDone, "")
	}
	for _, in := range []string{"", "two\nlines\n"} {
		msgqOf(t, within(t), in, "send", "-id", id, "-raw", "-type", "3", "-whole").want(t, exitDone, "")
	}
	want := []message{
		{1, "hello"},
		{1, ""},
		{1, "wo\nrld"},
		{7, "-dash"},
		{2, "one"},
		{2, "no line feed"},
		{2, ""},
		{2, "\r"},
		{2, "\x00\xff"},
		{3, ""},
		{3, "two\nlines\n"},
	}
	if diff := cmp.Diff(want, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

func TestSendInEnvelopes(t *testing.T) {
	q, id := queue(t, 0)
	msgq(t, "send", "-id", id, "-schema", "9", "hello").want(t, exitDone, "")
	got := content(t, q)
	h, payload, err := envelope.Parse([]byte(got[0].Text))
	if err != nil || string(payload) != "hello" || h.Schema != 9 || h.Producer != envelope.Self() || h.Time.IsZero() {
		t.Errorf("Parse = %+v, %q, %v; want %q of schema 9", h, payload, err, "hello")
	}
}

func TestSendWithoutRoom(t *testing.T) {
	q, id := queue(t, 10)
	for _, wait := range []string{"0", "1ns"} {
		r := msgqOf(t, within(t), "four\nfive!\nsix\n", "send", "-id", id, "-raw", "-wait", wait)
		r.want(t, exitNothing, "", "after 2 messages", "no room")
		if diff := cmp.Diff([]message{{1, "four"}, {1, "five!"}}, content(t, q)); diff != "" {
			t.Errorf("in the queue (-want +got):\n%s", diff)
		}
	}
	msgq(t, "send", "-id", id, "-raw", "eleven byte").want(t, exitError, "", "after 0 messages", "too large")
	r := msgqOf(t, within(t), "ok\n"+tooMany(t)+"x\n", "send", "-id", id, "-raw")
	r.want(t, exitError, "", "after 1 messages", "standard input", "kernel.msgmax")
	r = msgqOf(t, within(t), tooMany(t)+"x", "send", "-id", id, "-raw", "-whole")
	r.want(t, exitError, "", "after 0 messages", "kernel.msgmax")
	r = msgqOf(t, within(t), tooMany(t), "send", "-id", id, "-raw")
	r.want(t, exitError, "", "after 0 messages", "kernel.msgmax")
}

// The largest message is no larger as a line.
func TestSendTheLargest(t *testing.T) {
	q, id := queue(t, 0)
	largest := tooMany(t)[1:]
	if s, err := q.Stat(); err != nil || s.Capacity < len(largest) {
		t.Skipf("a queue takes %d bytes, %v, and a message has up to %d", s.Capacity, err, len(largest))
	}
	for _, end := range []string{"\n", ""} {
		msgqOf(t, within(t), largest+end, "send", "-id", id, "-raw").want(t, exitDone, "")
		if got := content(t, q); len(got) != 1 || got[0].Text != largest {
			t.Errorf("in the queue: %d messages; want 1 of %d bytes", len(got), len(largest))
		}
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	q, id := queue(t, 10)
	put(t, q, 1, "full full ")
	done := make(chan result)
	go func() { done <- msgqOf(t, within(t), "", "send", "-id", id, "-raw", "late") }() // ends when there is room
	if _, _, err := q.Receive(within(t), sysvmsg.Any(), make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	(<-done).want(t, exitDone, "")
	if diff := cmp.Diff([]message{{1, "late"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

func TestSendInterrupted(t *testing.T) {
	_, id := queue(t, 10)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer func() { _ = w.Close() }() // ends the goroutine that reads
	done := make(chan int)
	var complaints strings.Builder
	go func() { done <- run(ctx, []string{"send", "-id", id, "-raw"}, r, io.Discard, &complaints) }() // ends with ctx
	_, err := io.WriteString(w, "first\n")
	must(t, err)
	cancel()
	if code := <-done; code != exitInterrupted || !strings.Contains(complaints.String(), "interrupted: after ") {
		t.Errorf("exit code %d, complaint %q; want %d, and how many were sent", code, complaints.String(), exitInterrupted)
	}
}

func TestSendCreates(t *testing.T) {
	place := t.TempDir() + ":Q"
	msgq(t, "send", "-file", place, "x").want(t, exitNothing, "", "no such file")
	msgq(t, "send", "-file", place, "-create", "-mode", "0640", "-capacity", "100", "-raw", "x").want(t, exitDone, "")
	at := newPlace(t, place)
	q, err := at.open(toTake)
	must(t, err)
	removeAtEnd(t, q)
	s, err := q.Stat()
	if err != nil || s.Mode != 0o640 || s.Capacity != 100 || s.Messages != 1 {
		t.Errorf("Stat() = %+v, %v; want mode 0640, capacity 100, 1 message", s, err)
	}
	msgq(t, "send", "-file", place, "-create", "-raw", "y").want(t, exitDone, "") // it is there
	if diff := cmp.Diff([]message{{1, "x"}, {1, "y"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

// newPlace is the queue of a file.
func newPlace(tb testing.TB, value string) place {
	tb.Helper()
	return place{"file", value}
}

func TestProgress(t *testing.T) {
	_, id := queue(t, 0)
	r := msgq(t, "send", "-id", id, "-progress", "a", "b", "c")
	r.want(t, exitDone, "", "msgq: sent 3 messages\n")
	r = msgq(t, "receive", "-id", id, "-progress", "-count", "0")
	r.want(t, exitDone, "a\nb\nc\n", "msgq: took 3 messages\n")
}

func TestIsTerminal(t *testing.T) {
	if isTerminal(&strings.Builder{}) {
		t.Error("isTerminal of a Builder = true; want false")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	must(t, err)
	defer func() { _ = null.Close() }() // nothing was written
	if isTerminal(null) {
		t.Error("isTerminal of /dev/null = true; want false")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer func() { _ = terminal.Close() }() // nothing was written
	if !isTerminal(terminal) {
		t.Error("isTerminal of a terminal = false; want true")
	}
}

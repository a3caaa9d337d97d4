//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// journalOf returns the path of a journal with these messages.
func journalOf(tb testing.TB, messages ...message) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "journal")
	j, err := envelope.OpenJournal(path)
	must(tb, err)
	for _, m := range messages {
		must(tb, j.Put(tb.Context(), m.Type, []byte(m.Text), envelope.ErrStale))
	}
	must(tb, j.Close())
	return path
}

func TestRequeueFromQueue(t *testing.T) {
	q, id := queue(t, 0)
	aside, asideID := queue(t, 0)
	put(t, aside, 3, "a", "b")
	put(t, aside, 4, "c")
	args := []string{"requeue", "-id", id, "-from", "id:" + asideID}

	r := msgq(t, append(args, "-dry-run", "-count", "2")...)
	skipUnsupported(t, r)
	if r.code != exitDone || !strings.HasPrefix(r.out, "3 \"a\" ") || strings.Count(r.out, "\n") != 2 || len(content(t, q)) != 0 {
		t.Errorf("-dry-run = %+v; want two lines, and nothing sent", r)
	}
	msgq(t, append(args, "-count", "1")...).want(t, exitDone, "")
	msgq(t, args...).want(t, exitDone, "")
	msgq(t, args...).want(t, exitNothing, "", "id:"+asideID, "no message to send again")
	if diff := cmp.Diff([]message{{3, "a"}, {3, "b"}, {4, "c"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
	msgq(t, "requeue", "-id", id, "-from", "id:"+id).want(t, exitUsage, "", "-from")
}

// What cannot be sent goes back to the quarantine.
func TestRequeueWithoutRoom(t *testing.T) {
	q, id := queue(t, 3)
	aside, asideID := queue(t, 0)
	put(t, aside, 3, "xx", "yy", "zz")
	r := msgq(t, "requeue", "-id", id, "-from", "id:"+asideID, "-wait", "0", "-progress")
	r.want(t, exitNothing, "", "no room", "at the end of queue "+asideID, "sent 1 messages")
	if diff := cmp.Diff([]message{{3, "zz"}, {3, "yy"}}, content(t, aside)); diff != "" {
		t.Errorf("in quarantine (-want +got):\n%s", diff)
	}
	put(t, aside, 3, "long")
	r = msgq(t, "requeue", "-id", id, "-from", "id:"+asideID)
	r.want(t, exitError, "", "too large", "at the end of queue "+asideID)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	content(t, aside)
	put(t, aside, 3, "ww")
	r = msgqOf(t, ctx, "", "requeue", "-id", id, "-from", "id:"+asideID) // waits for room
	if r.code != exitError || !strings.Contains(r.err, "at the end of queue "+asideID) {
		t.Errorf("requeue until a deadline = %+v; want an error, and that the message is back", r)
	}
	if diff := cmp.Diff([]message{{3, "xx"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

func TestRequeueFromJournal(t *testing.T) {
	q, id := queue(t, 8)
	path := journalOf(t, message{3, "first"}, message{4, "second"}, message{5, "third"})
	args := []string{"requeue", "-id", id, "-from", "journal:" + path, "-wait", "0"}

	r := msgq(t, append(args, "-dry-run")...)
	if r.code != exitDone || strings.Count(r.out, "\n") != 3 || !strings.HasPrefix(r.out, "3 \"first\" ") {
		t.Errorf("-dry-run = %+v; want three lines", r)
	}
	msgq(t, append(args, "-dry-run", "-progress", "-count", "0")...).want(t, exitDone, r.out, "would send 3 messages")
	for _, want := range []message{{3, "first"}, {4, "second"}} { // one at a time fits
		msgq(t, args...).want(t, exitNothing, "", "record at ", "no room")
		if diff := cmp.Diff([]message{want}, content(t, q)); diff != "" {
			t.Errorf("in the queue (-want +got):\n%s", diff)
		}
	}
	msgq(t, args...).want(t, exitDone, "")
	msgq(t, args...).want(t, exitNothing, "", path, "no message to send again")
	if diff := cmp.Diff([]message{{5, "third"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
	if r := msgq(t, "dump", "-journal", path); strings.Count(r.out, ", sent again: ") != 3 {
		t.Errorf("msgq dump -journal = %+v; want three records that were sent again", r)
	}
}

// A consumer that puts each message in quarantine again does not keep it going.
func TestRequeueEnds(t *testing.T) {
	q, id := queue(t, 0)
	aside, asideID := queue(t, 0)
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		buf := make([]byte, 10)
		for {
			n, typ, err := q.Receive(ctx, sysvmsg.Any(), buf)
			if err != nil || aside.TrySend(typ, buf[:n]) != nil {
				return
			}
		}
	}()
	const messages = 300
	for range messages {
		put(t, aside, 3, "x")
	}
	r := msgq(t, "requeue", "-id", id, "-from", "id:"+asideID, "-progress")
	r.want(t, exitDone, "", "sent 300 messages")
	cancel()
	<-done
	if n := len(content(t, q)) + len(content(t, aside)); n != messages {
		t.Errorf("%d messages in both queues; want %d", n, messages)
	}
}

// What is damaged is told of, and the rest is sent.
func TestRequeueFromDamagedJournal(t *testing.T) {
	q, id := queue(t, 0)
	path := journalOf(t, message{3, "first"}, message{4, "second"})
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append([]byte("some text"), data[1:]...), 0o600))
	msgq(t, "requeue", "-id", id, "-from", "journal:"+path).want(t, exitError, "", "at offset 0 are no record")
	if diff := cmp.Diff([]message{{4, "second"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

// Of a pipe nothing can be marked, and it may have no end.
func TestRequeueFromPipe(t *testing.T) {
	_, id := queue(t, 0)
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, unix.Mkfifo(pipe, 0o600))
	for _, flag := range []string{"-wait=0", "-dry-run"} {
		msgq(t, "requeue", "-id", id, "-from", "journal:"+pipe, flag).want(t, exitError, "", pipe, "regular")
	}
}

// Two at a time would send everything twice.
func TestRequeueLocksTheJournal(t *testing.T) {
	_, id := queue(t, 0)
	path := journalOf(t, message{3, "first"})
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }() // nothing was written
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	msgq(t, "requeue", "-id", id, "-from", "journal:"+path).want(t, exitError, "", path, "another process")
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_UN))
	msgq(t, "requeue", "-id", id, "-from", "journal:"+path).want(t, exitDone, "")
}

func TestRequeueRenews(t *testing.T) {
	q, id := queue(t, 0)
	aside, asideID := queue(t, 0)
	old := string(pack(t, envelope.Header{Schema: 8, Time: time.Unix(1, 0)}, "stale"))
	for _, schema := range []string{"", "9"} {
		put(t, aside, 3, old, "foreign")
		args := []string{"requeue", "-id", id, "-from", "id:" + asideID, "-renew"}
		wantSchemas := []uint16{8, 0}
		if schema != "" {
			args = append(args, "-schema", schema)
			wantSchemas = []uint16{9, 9}
		}
		msgq(t, args...).want(t, exitDone, "")
		for i, m := range content(t, q) {
			h, payload, err := envelope.Parse([]byte(m.Text))
			if want := []string{"stale", "foreign"}[i]; err != nil || string(payload) != want || h.Schema != wantSchemas[i] || time.Since(h.Time) > testPatience {
				t.Errorf("sent again: %q, %+v, %v; want %q of schema %d, and of now", payload, h, err, want, wantSchemas[i])
			}
		}
	}
}

func TestRequeueFromNowhere(t *testing.T) {
	_, id := queue(t, 0)
	msgq(t, "requeue", "-id", id, "-from", "journal:"+filepath.Join(t.TempDir(), "none")).want(t, exitNothing, "", "no such file")
	msgq(t, "requeue", "-id", id, "-from", "nowhere").want(t, exitUsage, "", "journal:PATH")
}

func TestRemove(t *testing.T) {
	q, id := queue(t, 0)
	put(t, q, 1, "x")
	msgq(t, "remove", "-id", id).want(t, exitError, "", "1 messages", "-force")
	content(t, q)
	msgq(t, "remove", "-id", id).want(t, exitDone, "")
	if _, err := q.Stat(); err == nil {
		t.Error("the queue is there after msgq remove")
	}
	q, id = queue(t, 0)
	put(t, q, 1, "x")
	msgq(t, "remove", "-id", id, "-force").want(t, exitDone, "")
	if _, err := q.Stat(); err == nil {
		t.Error("the queue is there after msgq remove -force")
	}
	if os.Getuid() != 0 { // whom nothing is forbidden
		q, id = queue(t, 0)
		must(t, q.SetPermissions(0, -1, -1))
		if r := msgq(t, "stat", "-id", id); r.code != exitError || !strings.Contains(r.err, "permission denied") {
			t.Errorf("msgq stat of a queue that may not be read = %+v; want an error", r)
		}
	}
}

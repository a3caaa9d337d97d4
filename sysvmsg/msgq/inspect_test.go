//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func TestListAndStat(t *testing.T) {
	q, id := queue(t, 500)
	put(t, q, 1, "four", "five!")
	must(t, q.SetPermissions(0o620, -1, -1))

	r := msgq(t, "list")
	row := ""
	for line := range strings.Lines(r.out) {
		if strings.HasPrefix(line, id+" ") {
			row = strings.Join(strings.Fields(line), " ")
		}
	}
	want := fmt.Sprintf("%s private 0620 %d 2 9 ", id, os.Getuid())
	if r.code != exitDone || !strings.HasPrefix(row, want) || !strings.Contains(row, fmt.Sprintf(" %d - 0", os.Getpid())) {
		t.Errorf("msgq list = %d, the row is %q; want %q, this process as the sender, and no receiver", r.code, row, want)
	}
	r = msgq(t, "stat", "-id", id)
	for _, line := range []string{"id             " + id, "messages       2", "capacity       500", "mode           0620", "received at    -"} {
		if r.code != exitDone || !strings.Contains(r.out, line+"\n") {
			t.Errorf("msgq stat = %+v; want %q in it", r, line)
		}
	}
	wantJSON(t, q, msgq(t, "stat", "-json", "-id", id).out, 500.0)
	for line := range strings.Lines(msgq(t, "list", "-json").out) {
		if strings.HasPrefix(line, `{"id":`+id+`,`) {
			wantJSON(t, q, line, nil) // which a list does not tell
			return
		}
	}
	t.Errorf("msgq list -json does not have queue %s", id)
}

// wantJSON fails tb unless text is what is to be said of q.
func wantJSON(tb testing.TB, q *sysvmsg.Queue, text string, capacity any) {
	tb.Helper()
	var got map[string]any
	must(tb, json.Unmarshal([]byte(text), &got))
	sent, err := time.Parse(time.RFC3339, fmt.Sprint(got["sent_at"]))
	if err != nil || time.Since(sent) > testPatience || got["received_at"] != nil {
		tb.Errorf("sent at %v, %v, received at %v; want just now, and never", got["sent_at"], err, got["received_at"])
	}
	for name, want := range map[string]any{
		"id": float64(q.ID()), "key": "private", "mode": "0620", "uid": float64(os.Getuid()), "messages": 2.0, "bytes": 9.0,
		"capacity": capacity, "last_sender": float64(os.Getpid()), "last_receiver": 0.0,
	} {
		if got[name] != want {
			tb.Errorf("%s is %v; want %v", name, got[name], want)
		}
	}
}

func TestDump(t *testing.T) {
	q, id := queue(t, 0)
	msgq(t, "dump", "-id", id).want(t, exitDone, "")
	whole := pack(t, envelope.Header{Schema: 4, Producer: envelope.Identity{PID: 7, Start: 8}}, "hello\x1b[2J")
	put(t, q, 5, string(whole), string(whole[:40]), strings.Repeat("x", 300))
	want := "message 0: type 5, 41 bytes: schema 4, sent - by 7@8\n" +
		"00000000  68 65 6c 6c 6f 1b 5b 32  4a                       |hello.[2J|\n" +
		"message 1: type 5, 40 bytes: payload has 8 bytes, the header says 9: corrupt message\n"
	r := msgq(t, "dump", "-id", id)
	skipUnsupported(t, r)
	if r.code != exitDone || !strings.HasPrefix(r.out, want) || !strings.HasSuffix(r.out, "|xxxxxxxxxxxxxxxx|\nand 44 bytes more\n") {
		t.Errorf("msgq dump = %+v; want %q first, and that there are more bytes", r, want)
	}
	if r := msgq(t, "dump", "-id", id, "-bytes", "0"); !strings.HasSuffix(r.out, "|xxxxxxxxxxxx|\n") {
		t.Errorf("msgq dump -bytes 0 = %+v; want all bytes", r)
	}
	if n := len(content(t, q)); n != 3 {
		t.Errorf("%d messages in the queue; want 3", n)
	}
}

// skipUnsupported skips the test where the kernel cannot peek.
func skipUnsupported(tb testing.TB, r result) {
	tb.Helper()
	if r.code == exitError && strings.Contains(r.err, errors.ErrUnsupported.Error()) {
		tb.Skip("the kernel lacks CONFIG_CHECKPOINT_RESTORE")
	}
}

func TestDumpJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := envelope.OpenJournal(path)
	must(t, err)
	must(t, j.Put(t.Context(), 3, []byte("first"), errors.New("because\n")))
	must(t, j.Put(t.Context(), 4, []byte("second"), envelope.ErrStale))
	must(t, j.Close())
	r := msgq(t, "dump", "-journal", path)
	if r.code != exitDone || r.err != "" || strings.Count(r.out, "\n") != 4 || !strings.HasPrefix(r.out, "record at 0, put there ") ||
		!strings.Contains(r.out, `: "because\n": type 3, 5 bytes: magic number`) || !strings.Contains(r.out, "|second|") {
		t.Errorf("msgq dump -journal = %+v; want both records", r)
	}
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, data[1:], 0o600))
	r = msgq(t, "dump", "-journal", path)
	if r.code != exitError || strings.Contains(r.out, "|first|") || !strings.Contains(r.out, "|second|") || !strings.Contains(r.err, "at offset 0") {
		t.Errorf("msgq dump of a damaged journal = %+v; want the second record, and an error", r)
	}
}

// A long one ends by the first signal.
func TestDumpInterrupted(t *testing.T) {
	q, id := queue(t, 0)
	put(t, q, 3, "x")
	path := journalOf(t, message{3, "first"})
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	for _, args := range [][]string{{"dump", "-id", id}, {"dump", "-journal", path}} {
		msgqOf(t, ctx, "", args...).want(t, exitInterrupted, "", "interrupted")
	}
}

// Messages go from anywhere in the queue, and come at its end.
func TestTailLooks(t *testing.T) {
	q, id := queue(t, 0)
	skipUnsupported(t, msgq(t, "dump", "-id", id))
	at, err := newTaker(q)
	must(t, err)
	var out bytes.Buffer
	p := &program{out: &out}
	tail := newTail()
	look := func(want string) {
		out.Reset()
		must(t, tail.look(p, at))
		if out.String() != want {
			t.Errorf("tail prints %q; want %q", out.String(), want)
		}
	}
	line := func(t sysvmsg.Type, s string) string { return string(appendLine(nil, t, []byte(s))) }
	take := func(t sysvmsg.Type) {
		_, _ = q.Discard(sysvmsg.Exact(t)) // a test below fails if nothing was taken
	}
	look("")
	put(t, q, 1, "a")
	put(t, q, 2, "b")
	look(line(1, "a") + line(2, "b"))
	look("")
	put(t, q, 3, "c")
	take(1)
	look(line(3, "c"))
	take(3)
	look("")
	put(t, q, 3, "c")
	put(t, q, 4, "b")
	look(line(3, "c") + line(4, "b"))
	content(t, q)
	put(t, q, 9, "other")
	look(line(9, "other"))
	take(9)
	put(t, q, 8, "other") // of another type
	look(line(8, "other"))
	put(t, q, 8, "other") // the same again
	look(line(8, "other"))
}

func TestTailFollows(t *testing.T) {
	q, id := queue(t, 0)
	skipUnsupported(t, msgq(t, "dump", "-id", id))
	put(t, q, 1, "before")
	ctx, cancel := context.WithCancel(within(t))
	r, w := io.Pipe()
	done := make(chan int)
	go func() { done <- run(ctx, []string{"tail", "-id", id, "-interval", "1ms"}, nil, w, io.Discard) }() // ends with ctx
	for _, text := range []string{"before", "then", "later"} {
		want := string(appendLine(nil, 1, []byte(text)))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("tail prints %q, %v; want %q", got, err, want)
		}
		if text != "later" {
			put(t, q, 1, map[string]string{"before": "then", "then": "later"}[text])
		}
	}
	cancel()
	if code := <-done; code != exitDone {
		t.Errorf("exit code %d; want %d", code, exitDone)
	}
	if n := len(content(t, q)); n != 3 {
		t.Errorf("%d messages in the queue; want 3", n)
	}
}

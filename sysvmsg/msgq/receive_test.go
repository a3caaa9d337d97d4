//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg/envelope"
)

func TestReceive(t *testing.T) {
	q, id := queue(t, 0)
	fill := func() {
		for _, m := range []message{{5, "five"}, {3, "three"}, {9, "nine"}, {3, "three again"}, {1, "one"}} {
			must(t, q.TrySend(m.Type, pack(t, envelope.Header{}, m.Text)))
		}
	}
	for _, test := range []struct {
		args, out string
		code      int
	}{
		{"", "five\n", exitDone},
		{"-count 2", "five\nthree\n", exitDone},
		{"-count 0", "five\nthree\nnine\nthree again\none\n", exitDone},
		{"-type 3", "three\n", exitDone},
		{"-type 3 -count 0", "three\nthree again\n", exitDone},
		{"-lowest 4 -count 0", "one\nthree\nthree again\n", exitDone},
		{"-except 5 -null -count 3", "three\x00nine\x00three again\x00", exitDone},
		{"-count 6", "five\nthree\nnine\nthree again\none\n", exitNothing},
		{"-count 6 -wait 1ns", "five\nthree\nnine\nthree again\none\n", exitNothing},
		{"-type 4", "", exitNothing},
		{"-type 4 -count 0", "", exitNothing},
		{"-type 9 -wait forever -schema 0", "nine\n", exitDone},
		{"-type 9 -long", "9 \"nine\" schema 0, sent - by 0@0\n", exitDone},
	} {
		fill()
		r := msgq(t, append([]string{"receive", "-id", id}, strings.Fields(test.args)...)...)
		if test.code == exitNothing {
			r.want(t, test.code, test.out, "no such message")
		} else {
			r.want(t, test.code, test.out)
		}
		content(t, q)
	}
}

func TestReceiveRaw(t *testing.T) {
	q, id := queue(t, 0)
	put(t, q, 3, "no envelope", "\x1b[31m\n", "")
	msgq(t, "receive", "-id", id, "-raw").want(t, exitDone, "no envelope\n")
	r := msgq(t, "receive", "-id", id, "-raw", "-long", "-count", "0")
	r.want(t, exitDone, "3 \"\\x1b[31m\\n\" magic number is 0x1b5b3331, want 0xc1706c71: foreign message\n"+
		"3 \"\" 0 bytes are too few for a magic number: foreign message\n")
}

// What is not in order goes back where no quarantine was named, and there if one was.
func TestReceiveDirt(t *testing.T) {
	q, id := queue(t, 0)
	aside, asideID := queue(t, 0)
	path := filepath.Join(t.TempDir(), "journal")
	good := string(pack(t, envelope.Header{Schema: 1}, "good"))
	other := string(pack(t, envelope.Header{Schema: 2}, "of another schema"))
	all := []string{"dirt", good, other}

	put(t, q, 3, all...)
	r := msgq(t, "receive", "-id", id, "-schema", "0")
	r.want(t, exitError, "", "foreign message", "-quarantine", "type 3 is at the end of queue "+id)
	if diff := cmp.Diff([]message{{3, good}, {3, other}, {3, "dirt"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}

	put(t, q, 3, good)
	r = msgq(t, "receive", "-id", id, "-schema", "0")
	r.want(t, exitError, "", "schema is 1, want 0")
	msgq(t, "receive", "-id", id).want(t, exitDone, "good\n")

	put(t, q, 3, all...)
	r = msgq(t, "receive", "-id", id, "-count", "0", "-schema", "1", "-quarantine", "id:"+asideID)
	r.want(t, exitDone, "good\n", "in quarantine", "schema is 2, want 1")
	if diff := cmp.Diff([]message{{3, "dirt"}, {3, other}}, content(t, aside)); diff != "" {
		t.Errorf("in quarantine (-want +got):\n%s", diff)
	}

	put(t, q, 3, all...)
	r = msgq(t, "receive", "-id", id, "-count", "0", "-schema", "1", "-quarantine", "journal:"+path)
	r.want(t, exitDone, "good\n", "in quarantine")
	r = msgq(t, "requeue", "-id", id, "-from", "journal:"+path, "-dry-run")
	if !strings.HasPrefix(r.out, "3 \"dirt\" ") || !strings.Contains(r.out, "\n3 \"of another schema\" ") {
		t.Errorf("in the journal: %q; want both", r.out)
	}
	for _, place := range []string{"nowhere", "id", "key:0", "id:x", "id:" + id} {
		if r := msgq(t, "receive", "-id", id, "-quarantine", place); r.code != exitUsage {
			t.Errorf("-quarantine %s = %+v; want exit code %d", place, r, exitUsage)
		}
	}
}

// A quarantine that is full keeps nothing from the queue.
func TestReceiveQuarantineFull(t *testing.T) {
	q, id := queue(t, 0)
	_, asideID := queue(t, 3)
	put(t, q, 3, "dirt")
	r := msgq(t, "receive", "-id", id, "-quarantine", "id:"+asideID)
	r.want(t, exitError, "", "not in quarantine", "too large", "is at the end of")
	if diff := cmp.Diff([]message{{3, "dirt"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

// A message that cannot be printed goes back; if nobody reads the output, without a
// word.
func TestReceivePutsBack(t *testing.T) {
	q, id := queue(t, 0)
	for err, want := range map[error]int{syscall.EPIPE: exitDone, errors.New("disk full"): exitError} {
		put(t, q, 1, "a", "b", "c")
		var complaints strings.Builder
		code := run(within(t), []string{"receive", "-id", id, "-raw", "-count", "0"}, nil, &broken{1, err}, &complaints)
		if code != want || (want == exitDone) != (complaints.Len() == 0) {
			t.Errorf("output %v: exit code %d, complaint %q; want %d", err, code, complaints.String(), want)
		}
		if diff := cmp.Diff([]message{{1, "c"}, {1, "b"}}, content(t, q)); diff != "" {
			t.Errorf("in the queue (-want +got):\n%s", diff)
		}
	}
}

// A message that can be neither printed nor put back is in the complaint.
func TestReceiveNamesWhatIsLost(t *testing.T) {
	q, id := queue(t, 0)
	put(t, q, 7, "dear\n")
	out := removing{q.Remove}
	var complaints strings.Builder
	code := run(within(t), []string{"receive", "-id", id, "-raw"}, nil, out, &complaints)
	if code == exitDone || !strings.Contains(complaints.String(), `LOST`) || !strings.Contains(complaints.String(), `type 7, "dear\n"`) {
		t.Errorf("exit code %d, complaint %q; want an error that has the message", code, complaints.String())
	}
}

// Removing is a Writer that calls a function, and fails as if nobody read it.
type removing struct{ do func() error }

func (r removing) Write([]byte) (int, error) { return 0, errors.Join(syscall.EPIPE, r.do()) }

// With -follow a signal is the way to end, without it an interruption.
func TestReceiveInterrupted(t *testing.T) {
	q, id := queue(t, 0)
	for flag, want := range map[string]int{"-follow": exitDone, "-count=9": exitInterrupted} {
		put(t, q, 1, "a", "b")
		ctx, cancel := context.WithCancel(within(t))
		r, w := io.Pipe()
		done := make(chan int)
		go func() { // ends with ctx
			done <- run(ctx, []string{"receive", "-id", id, "-raw", "-wait", "forever", flag}, nil, w, io.Discard)
		}()
		got := make([]byte, 4)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != "a\nb\n" {
			t.Errorf("%s: %q, %v; want both messages", flag, got, err)
		}
		cancel()
		if code := <-done; code != want {
			t.Errorf("%s: exit code %d; want %d", flag, code, want)
		}
	}
}

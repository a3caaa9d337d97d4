//go:build linux

package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// oPath is O_PATH of open(2).
const oPath = 0o10000000

func TestMarkDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := openJournal(t, path)
	for _, p := range somePuts() {
		if err := j.Put(t.Context(), p.Type, []byte(p.Message), errors.New(p.Reason)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // what matters is read back below
	i := 0
	for rec, err := range envelope.NewJournalReader(f).All() {
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := rec.MarkDone(f); err != nil {
				t.Fatal(err)
			}
		}
		i++
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var done []bool
	for rec, err := range envelope.NewJournalReader(bytes.NewReader(data)).All() {
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, rec.Done)
	}
	if diff := cmp.Diff([]bool{false, true, false, true, false}, done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if err := (envelope.Record{}).MarkDone(openReadOnly(t, path)); err == nil {
		t.Errorf("MarkDone of a file that is only read = %v; want an error", err)
	}
}

// openReadOnly opens a file until the end of the test.
func openReadOnly(tb testing.TB, path string) *os.File {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() }) // nothing was written
	return f
}

// Many writers, of which two share a Journal, and others have descriptors of their
// own, as processes have.
func TestJournalOfManyWriters(t *testing.T) {
	const writers, each = 8, 100
	path := filepath.Join(t.TempDir(), "journal")
	var wg sync.WaitGroup
	var j *envelope.Journal
	for w := range writers {
		if w%2 == 0 {
			j = openJournal(t, path)
		}
		shared := j
		wg.Go(func() {
			for i := range each {
				message := fmt.Sprintf("%d of %d %s", i, w, strings.Repeat("x", 37*i))
				if err := shared.Put(t.Context(), sysvmsg.Type(w+1), []byte(message), envelope.ErrForeign); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := make([]int, writers+1)
	for rec, err := range envelope.NewJournalReader(openReadOnly(t, path)).All() {
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%d of %d ", next[rec.Type], rec.Type-1)
		if !strings.HasPrefix(string(rec.Message), want) {
			t.Fatalf("message of type %d is %.20q; want %q…", rec.Type, rec.Message, want)
		}
		next[rec.Type]++
	}
	for w, n := range next[1:] {
		if n != each {
			t.Errorf("%d messages of writer %d; want %d", n, w, each)
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "journal"))
	if err := j.Put(t.Context(), 0, nil, envelope.ErrStale); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("Put of type 0 = %v; want os.ErrInvalid", err)
	}
	if err := j.Put(t.Context(), 1, make([]byte, envelope.MaxRecord+1), envelope.ErrStale); !errors.Is(err, sysvmsg.ErrTooLarge) {
		t.Errorf("Put of MaxRecord+1 bytes = %v; want ErrTooLarge", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close = %v; want os.ErrClosed", err)
	}
	if err := j.Put(t.Context(), 1, nil, envelope.ErrStale); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Put after Close = %v; want os.ErrClosed", err)
	}
}

func TestOpenJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	openJournal(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if _, err := envelope.OpenJournal(dir); err == nil {
		t.Errorf("OpenJournal of a directory = nil; want an error")
	}
	if _, err := envelope.OpenJournal("/dev/null"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("OpenJournal of a device = %v; want fs.ErrInvalid", err)
	}
	pipe := filepath.Join(dir, "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	for _, flags := range []int{oPath, syscall.O_RDWR} { // nobody reads it, somebody does
		f, err := os.OpenFile(pipe, flags, 0)
		must(t, err)
		if _, err := envelope.OpenJournal(pipe); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("OpenJournal of a pipe, open with %#x = %v; want fs.ErrInvalid", flags, err)
		}
		must(t, f.Close())
	}
	if _, err := envelope.OpenJournal(filepath.Join(dir, "none", "journal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenJournal in no directory = %v; want fs.ErrNotExist", err)
	}
}

func TestJournalReaderReturnsTheError(t *testing.T) {
	data, ends := journal(t, somePuts()[:2])
	r := envelope.NewJournalReader(io.MultiReader(bytes.NewReader(data[:ends[1]-1]), iotest.ErrReader(context.DeadlineExceeded)))
	if rec, err := r.Next(); err != nil || rec.Reason != "empty" {
		t.Errorf("Next = %v, %v; want the first record", rec, err)
	}
	for range 2 {
		if rec, err := r.Next(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next = %v, %v; want the reader's error", rec, err)
		}
	}
}

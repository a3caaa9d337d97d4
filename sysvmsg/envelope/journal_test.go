//go:build linux

package envelope_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// A put is a call of Journal.Put.
type put struct {
	Type    sysvmsg.Type
	Message string
	Reason  string
}

// someputs are of all sizes, and quote what a record begins with.
func somePuts() []put {
	return []put{
		{1, "", "empty"},
		{7, "hello", ""},
		{1 << 30, "\xc1plj\x01\x00\xc1\xc1", "looks like a record"},
		{2, strings.Repeat("large ", 40_000), "large"},
		{3, "last", strings.Repeat("r", 2000)},
	}
}

// openJournal opens a Journal that is closed at the end of the test.
func openJournal(tb testing.TB, path string) *envelope.Journal {
	tb.Helper()
	j, err := envelope.OpenJournal(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = j.Close() }) // a test may have closed it
	return j
}

// journal returns the bytes of a Journal, and where each record ends.
func journal(tb testing.TB, puts []put) (data []byte, ends []int) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "journal")
	j := openJournal(tb, path)
	for _, p := range puts {
		if err := j.Put(tb.Context(), p.Type, []byte(p.Message), errors.New(p.Reason)); err != nil {
			tb.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			tb.Fatal(err)
		}
		ends = append(ends, int(info.Size()))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data, ends
}

// readJournal returns what a reader finds: records, and errors as their text.
func readJournal(r io.Reader) (puts []put, errs []string) {
	for rec, err := range envelope.NewJournalReader(r).All() {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		puts = append(puts, put{rec.Type, string(rec.Message), rec.Reason})
	}
	return puts, errs
}

// kept is how puts come back: a long reason is cut.
func kept(puts []put) []put {
	cut := append([]put(nil), puts...)
	for i := range cut {
		cut[i].Reason = cut[i].Reason[:min(len(cut[i].Reason), 1024)]
	}
	return cut
}

func TestJournalComesBack(t *testing.T) {
	data, _ := journal(t, somePuts())
	for name, r := range map[string]io.Reader{
		"whole":          bytes.NewReader(data),
		"byte by byte":   iotest.OneByteReader(bytes.NewReader(data)),
		"end with data":  iotest.DataErrReader(bytes.NewReader(data)),
		"half the bytes": iotest.HalfReader(bytes.NewReader(data)),
	} {
		puts, errs := readJournal(r)
		if diff := cmp.Diff(kept(somePuts()), puts); diff != "" || errs != nil {
			t.Errorf("%s: errors %q, records (-want +got):\n%s", name, errs, diff)
		}
	}
}

func TestJournalSaysWhenAndWhere(t *testing.T) {
	before := time.Now()
	data, ends := journal(t, somePuts())
	after := time.Now()
	at := int64(0)
	i := 0
	for rec, err := range envelope.NewJournalReader(bytes.NewReader(data)).All() {
		if err != nil || rec.Offset != at || rec.Done || rec.Time.Before(before) || rec.Time.After(after) {
			t.Errorf("record %d = at %d, done %v, of %v, %v; want at %d, false, between %v and %v", i, rec.Offset, rec.Done, rec.Time, err, at, before, after)
		}
		at = int64(ends[i])
		i++
	}
}

// A record that was cut, by a full disk or a crash, costs itself only: those before
// it and those behind it are found.
func TestJournalCutAnywhere(t *testing.T) {
	puts := somePuts()[:3]
	data, ends := journal(t, puts)
	for cut := range data {
		whole := 0
		for whole < len(ends) && ends[whole] <= cut {
			whole++
		}
		rest := cut
		if whole > 0 {
			rest -= ends[whole-1]
		}
		var want []string
		if rest > 0 {
			want = []string{fmt.Sprintf("envelope: %d bytes at offset %d are no record: corrupt message", rest, cut-rest)}
		}
		got, errs := readJournal(bytes.NewReader(data[:cut]))
		if diff := cmp.Diff(puts[:whole], got, cmpopts.EquateEmpty()); diff != "" || cmp.Diff(want, errs) != "" {
			t.Fatalf("cut to %d bytes: errors %q, want %q; records (-want +got):\n%s", cut, errs, want, diff)
		}
		got, errs = readJournal(bytes.NewReader(append(data[:cut:cut], data...)))
		all := append(puts[:whole:whole], puts...)
		if diff := cmp.Diff(all, got); diff != "" || cmp.Diff(want, errs) != "" {
			t.Fatalf("cut to %d bytes and gone on: errors %q, want %q; records (-want +got):\n%s", cut, errs, want, diff)
		}
	}
}

// A change of any byte but the mark loses that record, and no other.
func TestJournalFindsEveryDamage(t *testing.T) {
	puts := []put{{1, "first", "a"}, {2, "second", "b"}, {3, "third", "c"}}
	data, ends := journal(t, puts)
	for i := ends[0]; i < ends[1]; i++ {
		changed := bytes.Clone(data)
		changed[i] ^= 0x40
		got, errs := readJournal(bytes.NewReader(changed))
		want := []string{fmt.Sprintf("envelope: %d bytes at offset %d are no record: corrupt message", ends[1]-ends[0], ends[0])}
		if diff := cmp.Diff([]put{puts[0], puts[2]}, got); diff != "" || cmp.Diff(want, errs) != "" {
			t.Errorf("byte %d changed: errors %q, want %q; records (-want +got):\n%s", i, errs, want, diff)
		}
	}
}

func TestJournalOfClaims(t *testing.T) {
	// A header that is whole claims a message that is not there.
	data, _ := journal(t, []put{{1, strings.Repeat("x", 1<<20), ""}})
	short := data[:100]
	n := testing.AllocsPerRun(10, func() {
		if got, errs := readJournal(bytes.NewReader(short)); got != nil || len(errs) != 1 {
			t.Fatalf("records %v, errors %q; want no record and an error", got, errs)
		}
	})
	if n > 50 {
		t.Errorf("%v allocations for 100 bytes", n)
	}
}

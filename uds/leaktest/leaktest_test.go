//go:build linux

package leaktest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/plait-go/plait/uds/leaktest"
)

// recorder is a test that notes what it has failed for.
type recorder struct {
	testing.TB
	ends   []func()
	errors []string // formats
}

func (r *recorder) Helper()                        {}
func (r *recorder) Failed() bool                   { return len(r.errors) > 0 }
func (r *recorder) Cleanup(f func())               { r.ends = append(r.ends, f) }
func (r *recorder) Errorf(format string, _ ...any) { r.errors = append(r.errors, format) }

// end runs what is to run at the end of a test.
func (r *recorder) end() {
	for _, f := range r.ends {
		f()
	}
}

func TestCleanTestPasses(t *testing.T) {
	r := &recorder{TB: t}
	leaktest.Check(r)
	a, b, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _, _ = a.Read(make([]byte, 1)) }()
	_, _ = b.Close(), a.Close()
	<-done
	r.end()
	if r.Failed() {
		t.Errorf("errors = %q; want none", r.errors)
	}
}

func TestLeftOversFail(t *testing.T) {
	r := &recorder{TB: t}
	leaktest.Check(r)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	for range 3 { // that of another test may end meanwhile
		go func() { <-stop }()
	}
	r.end()
	close(stop)
	_ = f.Close() // it was only read
	if want := []string{"goroutines", "descriptors"}; len(r.errors) != 2 || !strings.Contains(r.errors[0], want[0]) || !strings.Contains(r.errors[1], want[1]) {
		t.Errorf("errors = %q; want one about %q each", r.errors, want)
	}
}

//go:build linux

package uds_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// must fails tb if err is not nil.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// patient returns a context for calls that must end by themselves.
func patient(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	return ctx
}

// pair returns a pair, which is closed at the end of the test.
func pair(tb testing.TB, kind uds.Kind) (a, b *uds.Conn) {
	tb.Helper()
	a, b, err := uds.Pair(kind)
	must(tb, err)
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() }) // the test may have
	return a, b
}

// kinds are all of them.
func kinds() []uds.Kind { return []uds.Kind{uds.Stream, uds.Datagram, uds.SeqPacket} }

// place returns a new directory with a path so short that a socket's name has room
// behind it.
func place(tb testing.TB) string {
	tb.Helper()
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "uds") //nolint:usetesting // TempDir's path has the name of the test
	must(tb, err)
	tb.Cleanup(func() { must(tb, os.RemoveAll(dir)) })
	return dir
}

var names atomic.Int64 //nolint:gochecknoglobals // a counter

// abstract returns an abstract name that nobody else uses.
func abstract(tb testing.TB) string {
	tb.Helper()
	return fmt.Sprintf("@plait-uds-test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), names.Add(1))
}

// waiting starts a call, and returns when it waits, in the poller or for another
// call, or has come to its result already.
func waiting(tb testing.TB, f func() error) <-chan error {
	tb.Helper()
	name, result := make(chan string, 1), make(chan error, 1)
	go func() {
		own := make([]byte, 64)
		title, _, _ := strings.Cut(string(own[:runtime.Stack(own, false)]), " [")
		name <- title // "goroutine 17"
		result <- f()
	}()
	goroutine := <-name
	all := make([]byte, 1<<20)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && len(result) == 0; runtime.Gosched() {
		stacks := string(all[:runtime.Stack(all, true)])
		if strings.Contains(stacks, goroutine+" [IO wait") || strings.Contains(stacks, goroutine+" [select") {
			break
		}
	}
	return result
}

// result returns what a call has come to.
func result(tb testing.TB, c <-chan error) error {
	tb.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		tb.Fatal("a call does not end")
		return nil
	}
}

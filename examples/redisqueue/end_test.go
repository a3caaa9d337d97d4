//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

const ms = time.Millisecond

// The pool ends while all workers wait for messages, for longer than it would give them:
// none has to be killed.
func TestEndWhileIdle(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.idle = time.Hour
	c := newCrew(t, b, workers)
	await(t, "all workers wait", func() bool { return b.blocked(t) == b.o.workers })
	c.stop(t)
	c.check(t)
	if n := c.Counters(); n.Exits != int64(b.o.workers) || n.Failures != 0 {
		t.Errorf("%+v, want %d exits, none of them a failure", n, b.o.workers)
	}
}

// The pool ends under load. What was in hand is done, and nothing is done twice.
func TestEndUnderLoad(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	ids := b.submit(t, numbered(1000)...)
	for i := range int64(3) {
		c := newCrew(t, b, workers)
		await(t, "there are more results", func() bool { return b.length(b.o.results()) >= (i+1)*200 })
		c.stop(t)
		c.check(t)
		if n := b.pending(t); n != 0 {
			t.Errorf("%d messages are pending after the end, want none", n)
		}
	}
	newCrew(t, b, workers)
	b.awaitEmpty(t)
	if duplicates, again := b.account(t, ids); duplicates != 0 || again != 0 {
		t.Errorf("%d redeliveries and %d duplicates, want none", again, duplicates)
	}
}

// The program itself: it works, ends when it is asked to, and leaves nobody behind, even
// if it is killed.
func TestProgram(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			leaktest.Check(t)
			b := newBroker(t)
			p, err := (&userprocess.Command{
				Path: self, Args: b.o.args(), Stderr: userprocess.Pipe,
				Env: append(os.Environ(), asProgram+"=1"),
			}).Start(context.WithoutCancel(t.Context()))
			must(t, err)
			defer func() {
				_ = p.Kill() // or it has ended
				must(t, p.Close())
			}()
			ids := b.submit(t, numbered(100)...)
			await(t, "all workers wait", func() bool { return b.blocked(t) == b.o.workers && b.length(b.o.stream) == 0 })
			must(t, p.Signal(sig))
			exit, err := p.Wait()
			if err != nil || exit.Signal != sig && !exit.OK() || exit.OK() == (sig == unix.SIGKILL) {
				t.Errorf("%v: %v, %v", sig, exit, err)
			}
			for _, pid := range startedBy(t, bufio.NewScanner(p.Stderr())) {
				await(t, "its workers are gone", func() bool { return errors.Is(unix.Kill(pid, 0), unix.ESRCH) })
			}
			if duplicates, again := b.account(t, ids); duplicates != 0 || again != 0 {
				t.Errorf("%d redeliveries and %d duplicates, want none", again, duplicates)
			}
		})
	}
}

// startedBy returns the processes that a program says it has started. There must be one.
func startedBy(t *testing.T, lines *bufio.Scanner) (pids []int) {
	t.Helper()
	for lines.Scan() {
		_, rest, ok := strings.Cut(lines.Text(), "started (pid ")
		if !ok {
			continue
		}
		var pid int
		if _, err := fmt.Sscan(strings.TrimRight(rest, ")"), &pid); err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		pids = append(pids, pid)
	}
	if err := lines.Err(); err != nil || len(pids) == 0 {
		t.Errorf("no worker was started, %v", err)
	}
	return pids
}

//go:build linux

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// SIGTERM and SIGINT: what is in hand is answered, and all processes end.
func TestStop(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		for _, reactors := range []string{"1", "3"} {
			t.Run(fmt.Sprintf("%v, %s reactors", sig, reactors), func(t *testing.T) {
				p := start(t, "-workers", "2", "-tasks", "1", "-watch", "-reactors", reactors)
				r := stats(t, p)
				clients, _ := p.DialAll(t, 4)
				for _, c := range clients {
					c.Send(t, "/sleep 200\r\n/task last\r\n")
				}
				for stats(t, p).Requests < 12 {
					continue
				}
				p.Signal(t, sig)
				for _, c := range clients {
					c.Expect(t, "slept\r\nLAST\r\n")
					c.ExpectEnd(t)
				}
				if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
					t.Errorf("exit code %d, and %q on stderr", code, complaints)
				}
				gone(t, append(append(r.PIDs, r.Tasks.PIDs...), r.Watch.PID))
			})
		}
	}
}

// gone waits until processes are.
func gone(tb testing.TB, pids []int64) {
	tb.Helper()
	deadline := time.Now().Add(echotest.Patience)
	for _, pid := range pids {
		for pid != 0 && !errors.Is(syscall.Kill(int(pid), 0), syscall.ESRCH) {
			if time.Now().After(deadline) {
				tb.Fatalf("process %d is still there", pid)
			}
			time.Sleep(time.Millisecond) // nobody tells
		}
	}
}

// A second signal does not wait for what is in hand.
func TestStopAtOnce(t *testing.T) {
	p := start(t, "-workers", "2")
	r := stats(t, p)
	c := p.Dial(t)
	c.Send(t, "hello\r\n/sleep 60000\r\n")
	c.Expect(t, "hello\r\n")
	p.Signal(t, syscall.SIGTERM)
	p.Said(t, "level=INFO", "stopping")
	time.Sleep(150 * time.Millisecond) // or it is taken for the same signal
	p.Signal(t, syscall.SIGTERM)
	if code, _ := p.Wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	gone(t, r.PIDs)
}

// The processes end with the master, and another one can take its place at once.
func TestMasterDies(t *testing.T) {
	addr := "unix:" + filepath.Join(t.TempDir(), "socket")
	p := start(t, "-workers", "3", "-tasks", "1", "-watch", "-addr", addr)
	r := stats(t, p)
	p.Signal(t, syscall.SIGKILL)
	p.Wait(t)
	gone(t, append(append(r.PIDs, r.Tasks.PIDs...), r.Watch.PID))
	if got := start(t, "-addr", addr).Dial(t).Ask(t, "hello"); got != "hello" {
		t.Errorf("hello = %q", got)
	}
}

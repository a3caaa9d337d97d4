//go:build linux

package procpool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/nofork"
)

// short runs a pool where no process can be started for a while.
func short(ctx context.Context, _ *userprocess.Child) error {
	events := make(chan procpool.Event, 1<<10)
	pool, err := procpool.New([]*procpool.Group{{
		Name: "sleep", Count: 3, Command: userprocess.Command{Path: "/bin/sleep", Args: []string{"600"}},
		Restart: procpool.Restart{Min: time.Millisecond, Max: time.Millisecond},
	}}, &procpool.Options{Event: func(e procpool.Event) { events <- e }})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	until := func(kind procpool.EventKind, n int) (last procpool.Event) {
		for n > 0 {
			if last = <-events; last.Kind == kind {
				n--
			}
		}
		return last
	}
	until(procpool.Ready, 3)
	end, err := nofork.Begin()
	if err != nil {
		return err
	}
	if err := unix.Kill(pool.Status()[1].PID, unix.SIGKILL); err != nil {
		return err
	}
	e := until(procpool.StartFailed, 8)
	_, _ = fmt.Println(errors.Is(e.Err, unix.EAGAIN), e.Err) //nolint:forbidigo // a program
	if err := end(); err != nil {
		return err
	}
	until(procpool.Ready, 1)
	for _, st := range pool.Status() {
		_, _ = fmt.Println(st.Slot, st.Incarnation > 8, st.State) //nolint:forbidigo // a program
	}
	cancel()
	return <-done
}

// Where no process can be started, a worker that has ended is not replaced, until one
// can again. The others go on. Root has no limit.
func TestNoProcesses(t *testing.T) {
	c := &userprocess.Command{Role: "short", Stdout: userprocess.Pipe}
	if os.Getuid() == 0 {
		c.Credential = &syscall.Credential{Uid: 54322, Gid: 54322} // who has no other processes
	}
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	lines := bufio.NewScanner(p.Stdout())
	for _, want := range []string{
		"true userprocess: cannot start sleep: fork/exec /bin/sleep: resource temporarily unavailable",
		"0 false idle", "1 true idle", "2 false idle",
	} {
		if lines.Scan(); lines.Text() != want {
			t.Errorf("%q, want %q", lines.Text(), want)
		}
	}
	if exit, err := p.Wait(); !exit.OK() || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
}

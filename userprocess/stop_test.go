//go:build linux

package userprocess_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// begun starts a child, and returns when it has printed its first line.
func begun(t *testing.T, c *userprocess.Command) (*userprocess.Process, *bufio.Scanner) {
	t.Helper()
	c.Stdout = userprocess.Pipe
	p := start(t, c)
	lines := bufio.NewScanner(p.Stdout())
	if !lines.Scan() {
		t.Fatalf("%v prints nothing: %v", p, lines.Err())
	}
	return p, lines
}

// A role learns who wants it to go.
func TestStopOfARole(t *testing.T) {
	leaktest.Check(t)
	for want, stop := range map[error]func(p *userprocess.Process) error{
		userprocess.ErrStopped:    func(p *userprocess.Process) error { _, err := p.Stop(t.Context()); return err },
		userprocess.ErrTerminated: func(p *userprocess.Process) error { return p.Signal(unix.SIGTERM) },
	} {
		for _, paused := range []bool{false, true} {
			p, lines := begun(t, &userprocess.Command{Role: "wait"})
			if err := p.Signal(unix.SIGINT); err != nil { // is ignored
				t.Error(err)
			}
			if paused && want == userprocess.ErrStopped {
				if err := p.Signal(unix.SIGSTOP); err != nil {
					t.Error(err)
				}
			}
			if err := stop(p); err != nil {
				t.Error(err)
			}
			if lines.Scan(); lines.Text() != want.Error() {
				t.Errorf("the cause is %q, want %v", lines.Text(), want)
			}
			if exit, err := p.Wait(); !exit.OK() || err != nil {
				t.Errorf("%v, %v", exit, err)
			}
		}
	}
}

// Whoever does not go is killed, with all of its group: after Grace, or when the
// context of Stop has ended.
func TestStopByForce(t *testing.T) {
	leaktest.Check(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	script := shell("trap '' TERM; sleep 600 & echo $!; wait; sleep 600")
	for _, test := range []struct {
		ctx context.Context
		c   userprocess.Command
	}{
		{t.Context(), userprocess.Command{Role: "deaf", Grace: time.Millisecond}},
		{t.Context(), userprocess.Command{Role: "deaf", Grace: -1}},
		{ended, userprocess.Command{Role: "deaf"}},
		{ended, script},
	} {
		p, lines := begun(t, &test.c)
		exit, err := p.Stop(test.ctx)
		if exit.Signal != unix.SIGKILL || exit.Code != -1 || err != nil || exit.String() != "signal: killed" {
			t.Errorf("%v: %v, %v; want it killed", p, exit, err)
		}
		if pid, err := strconv.Atoi(lines.Text()); err == nil { // of what it has forked
			awaitGone(t, []int{pid})
		}
	}
}

// awaitNone waits until kill(2) finds no process, or zombie, of that number.
func awaitNone(t *testing.T, pid int) {
	t.Helper()
	for began := time.Now(); !errors.Is(unix.Kill(pid, 0), unix.ESRCH); {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("process %d is there after %v", pid, time.Since(began))
		}
	}
}

func TestStopOfAnotherProgram(t *testing.T) {
	leaktest.Check(t)
	c := shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
	p, lines := begun(t, &c)
	var all sync.WaitGroup
	for range 4 { // together
		all.Go(func() {
			if exit, err := p.Stop(t.Context()); exit.Code != 3 || err != nil {
				t.Errorf("%v, %v", exit, err)
			}
		})
	}
	all.Wait()
	if lines.Scan(); lines.Text() != "bye" {
		t.Errorf("%q", lines.Text())
	}
	if exit, err := p.Stop(t.Context()); exit.Code != 3 || err != nil { // again
		t.Errorf("%v, %v", exit, err)
	}
	for _, err := range []error{p.Signal(unix.SIGTERM), p.Kill()} {
		if !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("a signal to what has ended: %v", err)
		}
	}
}

func TestExits(t *testing.T) {
	leaktest.Check(t)
	role := func(arg string) userprocess.Command {
		return userprocess.Command{Role: "exit", Args: []string{arg}}
	}
	for _, test := range []struct {
		c      userprocess.Command
		code   int
		signal syscall.Signal
		text   string
		stderr string
	}{
		{role("0"), 0, 0, "exit code 0", ""},
		{role("9"), 9, 0, "exit code 9", ""},
		{role("255"), 255, 0, "exit code 255", ""},
		{role("256"), 1, 0, "exit code 1", "exit: wrapped: exit code 256\n"},
		{role("-1"), 1, 0, "exit code 1", "exit: wrapped: exit code -1\n"},
		{role("it failed"), 1, 0, "exit code 1", "exit: it failed\n"},
		{userprocess.Command{Role: "panic"}, 2, 0, "exit code 2", "panic: bang"},
		{shell("exit 77"), 77, 0, "exit code 77", ""},
		{shell("kill -USR1 $$"), -1, unix.SIGUSR1, "signal: user defined signal 1", ""},
	} {
		test.c.Stderr = userprocess.Pipe
		p := start(t, &test.c)
		text, err := io.ReadAll(p.Stderr())
		if err != nil || !strings.Contains(string(text), test.stderr) || test.stderr == "" && len(text) > 0 {
			t.Errorf("%v prints %q, %v; want %q", p, text, err, test.stderr)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				exit, err := p.Wait()
				if exit.Code != test.code || exit.Signal != test.signal || exit.String() != test.text || exit.OK() != (test.code == 0) || err != nil {
					t.Errorf("%v, %v; want %s", exit, err, test.text)
				}
			})
		}
		all.Wait()
	}
}

// How much processor time it took is what the kernel says.
func TestTimes(t *testing.T) {
	c := shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
	if _, exit := output(t, c); exit.User+exit.System <= 0 {
		t.Errorf("%+v", exit)
	}
}

// Other code that waits for any child takes the exit code away, and nothing else.
func TestSomebodyElseWaits(t *testing.T) {
	leaktest.Check(t)
	p, _ := begun(t, &userprocess.Command{Role: "deaf"})
	if err := p.Signal(unix.SIGSTOP); err != nil { // it does not end before the wait begins
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := unix.Wait4(p.PID(), nil, 0, nil)
		waited <- err
	}()
	for range 1000 {
		if err := p.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	_ = p.Kill()
	exit, err := p.Wait()
	if waitErr := <-waited; waitErr == nil && (!errors.Is(err, unix.ECHILD) || exit.Code != -1) || waitErr != nil && (err != nil || exit.Signal != unix.SIGKILL) {
		t.Errorf("%v, %v; the other one: %v", exit, err, waitErr)
	}
}

// Who is stopped twice is asked once: many programs take a second SIGTERM for more.
func TestSecondStop(t *testing.T) {
	leaktest.Check(t)
	c := shell("trap 'echo term' TERM; echo ready; while :; do sleep 0.01; done")
	c.Stdout, c.Grace = userprocess.Pipe, 200*time.Millisecond
	p := start(t, &c)
	out := bufio.NewReader(p.Stdout())
	if line, err := out.ReadString('\n'); line != "ready\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	var stops sync.WaitGroup
	for range 4 {
		stops.Go(func() {
			if exit, err := p.Stop(t.Context()); exit.Signal != unix.SIGKILL || err != nil {
				t.Errorf("%v, %v", exit, err)
			}
		})
	}
	stops.Wait()
	if rest, err := io.ReadAll(out); string(rest) != "term\n" || err != nil {
		t.Errorf("%q, %v; want one SIGTERM", rest, err)
	}
}

// Kill is one thing, though it is two signals: who is reaped between them was killed.
func TestKillIsOne(t *testing.T) {
	leaktest.Check(t)
	for range 300 {
		c := &userprocess.Command{Path: "/bin/sleep", Args: []string{"60"}}
		p, err := c.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Kill(); err != nil {
			t.Fatalf("Kill() = %v", err)
		}
		if exit, err := p.Wait(); err != nil || exit.Signal != syscall.SIGKILL {
			t.Fatalf("Wait() = %v, %v", exit, err)
		}
		if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
			t.Fatalf("Kill() = %v, want ErrProcessDone", err)
		}
	}
}

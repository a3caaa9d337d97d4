//go:build linux

package userprocess_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// What children leave behind is reaped here, wherever it has gone, and nothing else is.
func TestReap(t *testing.T) {
	leaktest.Check(t)
	mine := exec.Command("/bin/sh", "-c", "read x; exit 5")
	input, err := mine.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mine.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reaping := make(chan error, 1)
	go func() { reaping <- userprocess.Reap(ctx, func(pid int) bool { return pid != mine.Process.Pid }) }()
	for !inherits(t) { // it has not begun
	}
	for _, script := range []string{
		"sleep 600 & echo $!",        // in the group, and killed with it below
		"setsid sleep 600 & echo $!", // out of it
		"(exit 3) & echo $!",         // has ended before its parent
	} {
		c := shell(script)
		c.Stdout = userprocess.Pipe
		p := start(t, &c)
		lines := bufio.NewScanner(p.Stdout())
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		orphan, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		if exit, err := p.Wait(); !exit.OK() || err != nil {
			t.Errorf("our own child: %v, %v", exit, err)
		}
		_ = unix.Kill(orphan, unix.SIGKILL) // or it has ended
		awaitNone(t, orphan)
	}
	_, _ = input.Write([]byte("x\n"))
	if err := mine.Wait(); mine.ProcessState.ExitCode() != 5 {
		t.Errorf("a child of os/exec: %v", err)
	}
	cancel()
	if err := <-reaping; err != nil {
		t.Error(err)
	}
	if inherits(t) {
		t.Error("orphans become ours when Reap has returned")
	}
}

// inherits reports whether what children leave behind becomes ours.
func inherits(t *testing.T) bool {
	t.Helper()
	c := shell("sleep 600 & echo $!")
	c.Stdout = userprocess.Pipe
	p := start(t, &c)
	defer killGroup(p)
	lines := bufio.NewScanner(p.Stdout())
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/" + lines.Text() + "/status")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid()))
}

// Reap without a function leaves alone what this package has started.
func TestReapAll(t *testing.T) {
	leaktest.Check(t)
	ctx, cancel := context.WithCancel(t.Context())
	reaping := make(chan error, 1)
	go func() { reaping <- userprocess.Reap(ctx, nil) }()
	for i := range 50 {
		_, exit := output(t, userprocess.Command{Path: "/bin/sh", Args: []string{"-c", "exit " + strconv.Itoa(i)}})
		if exit.Code != i {
			t.Errorf("%v, want %d", exit, i)
		}
	}
	cancel()
	if err := <-reaping; err != nil {
		t.Error(err)
	}
}

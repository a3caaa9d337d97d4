//go:build linux

package uds_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A child is a program of TestMain's that is running. It talks in lines, and ends
// when its input does, which is at the end of the test.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	pipe *os.File
	out  *bufio.Reader
	over bool
}

// startChild starts a program, which inherits files from descriptor 3 on. A child
// that does not end by itself and in time is killed, and fails the test.
func startChild(tb testing.TB, name string, args []string, files ...*os.File) *child {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.Command(self, args...)
	// The race detector has a program sleep for a second before it exits.
	race := os.Getenv("GORACE") + " atexit_sleep_ms=0"
	cmd.Env = append(os.Environ(), childVariable+"="+name, "GORACE="+race)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = files
	in, err := cmd.StdinPipe()
	must(tb, err)
	out, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	c := &child{name: name, cmd: cmd, in: in, pipe: out.(*os.File), out: bufio.NewReader(out)}
	tb.Cleanup(func() { c.end(tb) })
	return c
}

// pid returns the number of the process.
func (c *child) pid() int { return c.cmd.Process.Pid }

// line returns the next line that the child writes.
func (c *child) line(tb testing.TB) string {
	tb.Helper()
	must(tb, c.pipe.SetReadDeadline(time.Now().Add(patience)))
	line, err := c.out.ReadString('\n')
	if err != nil {
		tb.Fatalf("child %q says %q: %v", c.name, line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// expect waits until the child writes a line, which must be want.
func (c *child) expect(tb testing.TB, want string) {
	tb.Helper()
	if got := c.line(tb); got != want {
		tb.Fatalf("child %q says %q, want %q", c.name, got, want)
	}
}

// tell writes a line to the child.
func (c *child) tell(tb testing.TB, line string) {
	tb.Helper()
	_, err := fmt.Fprintln(c.in, line)
	must(tb, err)
}

// end ends the child's input, and waits until the child has ended.
func (c *child) end(tb testing.TB) {
	tb.Helper()
	if c.over {
		return
	}
	c.over = true
	_ = c.in.Close() // it may have been closed
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	if err := c.cmd.Wait(); err != nil {
		tb.Errorf("child %q: %v", c.name, err)
	}
}

// kill kills the child with SIGKILL, and waits until it is gone.
func (c *child) kill(tb testing.TB) {
	tb.Helper()
	c.over = true
	must(tb, c.cmd.Process.Kill())
	_ = c.cmd.Wait() // it says that the child was killed
}

// say writes a line to the parent.
func say(what ...any) error {
	_, err := fmt.Fprintln(os.Stdout, what...)
	return err
}

// hear waits for a line of the parent, and returns io.EOF at the end.
func hear() (line string, err error) {
	// Byte by byte, so that the next call finds what follows.
	for b := make([]byte, 1); ; line += string(b) {
		if _, err := os.Stdin.Read(b); err != nil || b[0] == '\n' {
			return line, err
		}
	}
}

// within returns a context for the calls of a child.
func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// hold is a child that keeps open what it has inherited.
func hold([]string) error {
	if err := say("ready"); err != nil {
		return err
	}
	if _, err := hear(); err != io.EOF {
		return err
	}
	return nil
}

//go:build linux

package sysvmsg_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A child is a program of TestMain's that is running. It ends by itself, or at the
// end of the test.
type child struct {
	cmd  *exec.Cmd
	name string
	in   io.Closer
	out  *os.File
	text *bufio.Reader
}

// startChild starts a program. Its argument is an ID or a key.
func startChild(tb testing.TB, name string, argument int, attr *syscall.SysProcAttr) *child {
	tb.Helper()
	// By this name others find it, too, who may not enter its folder.
	cmd := exec.Command("/proc/self/exe", strconv.Itoa(argument))
	// The race detector has a program sleep for a second before it exits.
	cmd.Env = append(os.Environ(), childVariable+"="+name, "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	in, err := cmd.StdinPipe()
	must(tb, err)
	out, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	c := &child{cmd: cmd, name: name, in: in, out: out.(*os.File), text: bufio.NewReader(out)}
	tb.Cleanup(func() {
		if cmd.ProcessState == nil { // the test has ended early
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // killed
		}
	})
	return c
}

// hear returns the next line that the child says.
func (c *child) hear(tb testing.TB) string {
	tb.Helper()
	must(tb, c.out.SetReadDeadline(time.Now().Add(patience)))
	line, err := c.text.ReadString('\n')
	if err != nil {
		tb.Fatalf("child %q says %q, %v; want a line", c.name, line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// end waits for the child, which must succeed.
func (c *child) end(tb testing.TB) {
	tb.Helper()
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.in.Close() // it may wait for that
	if err := c.cmd.Wait(); err != nil {
		tb.Errorf("child %q: %v", c.name, err)
	}
}

// kill kills the child, and waits until it is gone.
func (c *child) kill(tb testing.TB) {
	tb.Helper()
	must(tb, c.cmd.Process.Signal(unix.SIGKILL))
	_ = c.cmd.Wait() // killed
}

// say says a line to the test.
func say(format string, a ...any) error {
	_, err := fmt.Fprintf(os.Stdout, format+"\n", a...)
	return err
}

// linger waits until the test has closed the input.
func linger() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

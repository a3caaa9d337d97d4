//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A child is a program of TestMain's that is running. It ends when its input does,
// which is at the end of the test.
type child struct {
	pid int
	in  io.Closer
	out *os.File
}

// startChild starts a program, which inherits files from descriptor 3 on, and
// waits until it is ready.
func startChild(tb testing.TB, name string, w epoll.Waiting, files ...*os.File) *child {
	tb.Helper()
	return startUnder(tb, nil, name, w, files...)
}

// startUnder is startChild for a program that another one runs, if tracer is its
// command line.
func startUnder(tb testing.TB, tracer []string, name string, w epoll.Waiting, files ...*os.File) *child {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	args := append(tracer, self, strconv.Itoa(int(w)))
	cmd := exec.Command(args[0], args[1:]...)
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
	tb.Cleanup(func() {
		_ = in.Close() // it may have been closed
		late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("child %q: %v", name, err)
		}
	})
	c := &child{pid: cmd.Process.Pid, in: in, out: out.(*os.File)}
	c.wait(tb)
	return c
}

// wait waits until the child says that it has come to its next step.
func (c *child) wait(tb testing.TB) {
	tb.Helper()
	must(tb, c.out.SetReadDeadline(time.Now().Add(patience)))
	if _, err := c.out.Read(make([]byte, 1)); err != nil {
		tb.Fatalf("the child says nothing: %v", err)
	}
}

// tell says that a child has come to its next step.
func tell() error {
	_, err := os.Stdout.Write([]byte{'.'})
	return err
}

// hold is a child that keeps open what it has inherited.
func hold() error {
	if err := tell(); err != nil {
		return err
	}
	_, err := unix.Read(0, make([]byte, 1))
	return err
}

// serve is a child that serves a listening socket that it has inherited.
func serve(l *epoll.Loop, h *epoll.Handler) error {
	var failure error
	opts := &epoll.ListenOptions{Paused: func(err error) { failure = err }}
	if _, err := l.Listen(3, h, opts); err != nil {
		return err
	}
	if _, err := l.Add(0, epoll.Readable, func(epoll.Events) { l.Stop() }); err != nil {
		return err
	}
	if err := tell(); err != nil {
		return err
	}
	return errors.Join(l.Run(context.Background()), failure)
}

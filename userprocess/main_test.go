//go:build linux

package userprocess_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children
	if os.Getenv("USERPROCESS_FORGETS") != "" {  // a program that does not call Main
		_, err := (&userprocess.Command{Role: "echo"}).Start(context.Background())
		say(err)
		_, err = (&userprocess.Command{Path: "/bin/true", Priority: 1}).Start(context.Background())
		say(err)
		return
	}
	userprocess.Main(roles())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCHLD) // starts a goroutine that never ends
	signal.Stop(signals)
	m.Run()
}

// say prints a line, in a child.
func say(a ...any) { _, _ = fmt.Println(a...) } //nolint:forbidigo // children print

// start starts a child, which is gone when the test ends.
func start(t *testing.T, c *userprocess.Command) *userprocess.Process {
	t.Helper()
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Kill()    // or it has ended
		_, _ = p.Wait() // as above
		_ = p.Close()   // or it was closed
		killGroup(p)
	})
	return p
}

// killGroup kills what the child has left behind.
func killGroup(p *userprocess.Process) {
	_ = unix.Kill(-p.PID(), unix.SIGKILL) // or there is nothing
}

// output starts a child, and returns what it prints, and how it ends.
func output(t *testing.T, c userprocess.Command) (string, userprocess.Exit) {
	t.Helper()
	c.Stdout = userprocess.Pipe
	p := start(t, &c)
	text, err := io.ReadAll(p.Stdout())
	if err != nil {
		t.Errorf("%v prints %q, and %v", p, text, err)
	}
	exit, err := p.Wait()
	if err != nil {
		t.Errorf("%v: %v", p, err)
	}
	return string(text), exit
}

// shell returns a command that runs a script.
func shell(script string) userprocess.Command {
	return userprocess.Command{Path: "/bin/sh", Args: []string{"-c", script}}
}

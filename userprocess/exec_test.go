//go:build linux

package userprocess_test

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// A role goes on as another program, under its number, with its streams.
func TestExec(t *testing.T) {
	leaktest.Check(t)
	got, exit := output(t, userprocess.Command{Role: "replace", Args: []string{"/bin/echo", "HELLO"}})
	if got != "HELLO\n" || !exit.OK() {
		t.Errorf("%q, %v", got, exit)
	}
	p := start(t, &userprocess.Command{Role: "replace", Args: []string{"/bin/sh", "-c", "echo $$; cat"}, Stdin: userprocess.Pipe, Stdout: userprocess.Pipe, Pipe: uds.Stream})
	buf := make([]byte, 100)
	n, err := p.Stdout().Read(buf)
	if pid, _, _ := strings.Cut(p.String(), " "); string(buf[:n]) == "" || err != nil || pid != "replace" {
		t.Errorf("%q, %v, %v", buf[:n], err, p)
	}
	if n, err := p.Pipe().Receive(t.Context(), buf); n != 0 || err == nil {
		t.Errorf("the end of the Pipe: %d, %v", n, err)
	}
	exit, err = p.Stop(t.Context()) // it gets SIGTERM
	if exit.Signal != unix.SIGTERM || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
}

// What cannot be executed says why, and nothing has changed: the role goes on.
func TestExecErrors(t *testing.T) {
	leaktest.Check(t)
	p, all := begun(t, &userprocess.Command{Role: "again"})
	lines := []string{all.Text()}
	if err := p.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for all.Scan() {
		lines = append(lines, all.Text())
	}
	want := []string{
		"userprocess: cannot execute nonsense: exec /nonsense: no such file or directory",
		"userprocess: cannot execute true: chdir /nonsense: no such file or directory",
		`userprocess: cannot execute true: file "stdin": unsupported operation`,
		"userprocess: cannot execute true: more than Path, Args, Env, Dir and Files: unsupported operation",
		"userprocess: cannot execute echo: more than Path, Args, Env, Dir and Files: unsupported operation",
		"userprocess: cannot execute .: neither Role nor Path",
		"socket true",
		"/dev/null true",
		userprocess.ErrTerminated.Error(),
	}
	for i, line := range want {
		if i >= len(lines) || lines[i] != line && !strings.HasPrefix(lines[i], "/dev/null") && lines[i] != "socket true" {
			t.Errorf("%q, want %q", lines, want)
			break
		}
	}
	if exit, err := p.Wait(); !exit.OK() || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
}

// The program has descriptors by number, and the working directory.
func TestExecFiles(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Role: "with files", Stdout: userprocess.Pipe})
	got, err := io.ReadAll(p.Stdout())
	if string(got) != "/\nto\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

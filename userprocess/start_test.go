//go:build linux

package userprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// What cannot be started says why, and leaves nothing behind.
func TestStartErrors(t *testing.T) {
	leaktest.Check(t)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the cause"))
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed := os.NewFile(math.MaxInt16, "closed")
	defer func() { _, _ = null.Close(), closed.Close() }()
	type files = map[string]syscall.Conn
	for _, test := range []struct {
		ctx  context.Context // nil is t.Context
		c    userprocess.Command
		want error
		text string
	}{
		{c: userprocess.Command{}, text: "neither Role nor Path"},
		{c: userprocess.Command{Role: "echo", Path: "/bin/sh"}, text: `both Role "echo" and Path "/bin/sh"`},
		{c: userprocess.Command{Role: "nonsense"}, want: userprocess.ErrUnknownRole, text: `"nonsense"`},
		{c: userprocess.Command{Role: "echo", Pipe: uds.Datagram}, want: errors.ErrUnsupported, text: "Pipe is datagram, want stream or seqpacket"},
		{c: userprocess.Command{Role: "echo", Stdin: 3}, text: "stdin is Stdio 3"},
		{c: userprocess.Command{Role: "echo", Stderr: -1}, text: "stderr is Stdio -1"},
		{c: userprocess.Command{Role: "echo", Affinity: []int{0, -1}}, text: "processor -1 in Affinity"},
		{c: userprocess.Command{Path: "/bin/true", Affinity: []int{1023}}, text: "affinity [1023]: sched_setaffinity: invalid argument"},
		{c: userprocess.Command{Path: "/bin/true", Affinity: []int{5000}}, text: "no processor 5000"},
		{c: userprocess.Command{Path: "/bin/true", Rlimits: []userprocess.Rlimit{{Resource: 999}}}, text: "rlimit 999, soft 0, hard 0: prlimit: invalid argument"},
		{c: userprocess.Command{Path: "/nonsense", Priority: 1}, text: "exec /nonsense: no such file or directory"},
		{c: userprocess.Command{Role: "echo", Files: files{"": null}}, text: `"" is no name for a file`},
		{c: userprocess.Command{Role: "echo", Files: files{"a=b": null}}, text: `"a=b" is no name for a file`},
		{c: userprocess.Command{Role: "echo", Files: files{"pipe": null}}, text: `"pipe" is no name for a file`},
		{c: userprocess.Command{Role: "echo", Files: files{"lifeline": null}}, text: `"lifeline" is no name`},
		{c: userprocess.Command{Role: "echo", Files: files{"a": nil}}, text: `file "a" is nil`},
		{c: userprocess.Command{Role: "echo", Pipe: uds.Stream, Stdout: userprocess.Pipe, Files: files{"a": null, "b": closed}}, want: unix.EBADF, text: `file "b"`},
		{c: userprocess.Command{Path: "/nonsense", Pipe: uds.Stream, Stdin: userprocess.Pipe}, want: fs.ErrNotExist, text: "fork/exec /nonsense"},
		{c: userprocess.Command{Path: t.TempDir()}, want: fs.ErrPermission},
		{c: userprocess.Command{Path: "/bin/true", Dir: "/nonsense"}, want: fs.ErrNotExist},
		{c: userprocess.Command{Path: "/nonsense", Priority: 1}, want: fs.ErrNotExist, text: "exec /nonsense: no such file or directory"},
		{c: userprocess.Command{Path: "/bin/true", Args: []string{strings.Repeat("x", 1<<20)}}, want: unix.E2BIG},
		{c: userprocess.Command{Role: "exit", Args: []string{strings.Repeat("x", 1<<20)}}, want: unix.E2BIG},
		{c: userprocess.Command{Path: "/bin/true", Args: []string{"a\x00b"}}, want: unix.EINVAL},
		{ctx: ended, c: userprocess.Command{Path: "/bin/true"}, text: "the cause"},
	} {
		ctx := test.ctx
		if ctx == nil {
			ctx = t.Context()
		}
		p, err := test.c.Start(ctx)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) ||
			!strings.HasPrefix(err.Error(), "userprocess: cannot start ") {
			t.Errorf("%+v: %v, %v; want %v, %q", test.c, p, err, test.want, test.text)
		}
	}
}

// A program that forgot Main is told so: it never runs as its own child.
func TestForgottenMain(t *testing.T) {
	leaktest.Check(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "USERPROCESS_FORGETS=1")
	out, err := cmd.CombinedOutput()
	want := "userprocess: cannot start echo: " + userprocess.ErrNoMain.Error() + "\n" +
		"userprocess: cannot start true: " + userprocess.ErrNoMain.Error() + "\n"
	if string(out) != want || err != nil {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second Main returns")
		}
	}()
	userprocess.Main(nil)
}

// A child that is not of this program's says so.
func TestForeignManifest(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`x`:                          "$PLAIT_CHILD is not from this program: ",
		`{"fds":["lifeline"],"x":1}`: "$PLAIT_CHILD is not from this program: ",
		`{"fds":["x"` + strings.Repeat(`,"x"`, 60) + `]}`: `$PLAIT_CHILD names "x", but there is no descriptor `,
		`{"role":"nonsense","fds":[]}`:                    `"nonsense": userprocess: no such role`,
		`{"role":"echo","fds":[]}`:                        "$PLAIT_CHILD is set, and there is no lifeline: ",
		`{"launch":{},"fds":[]}`:                          "$PLAIT_CHILD has a launch, and no descriptor for its report",
	} {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), "PLAIT_CHILD="+text)
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) || cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %q, %v; want %q", text, out, err, want)
		}
	}
}

// Without descriptors there is an error, and no leak, and later there is a child.
func TestNoDescriptors(t *testing.T) {
	leaktest.Check(t)
	command := &userprocess.Command{Role: "exit", Args: []string{"0"}, Pipe: uds.Stream, Stdin: userprocess.Pipe, Stdout: userprocess.Pipe, Priority: 1}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	start(t, command) // what the runtime opens once is open
	before := len(leaktest.FDs(t))
	for room := range 24 {
		low := limit
		low.Cur = uint64(before + room)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
			t.Fatal(err)
		}
		p, err := command.Start(t.Context())
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			if !errors.Is(err, unix.EMFILE) {
				t.Errorf("room for %d: %v", room, err)
			}
			continue
		}
		if exit, err := p.Wait(); !exit.OK() || err != nil {
			t.Errorf("room for %d: %v, %v", room, exit, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Without processes there is an error, and later there is a child. Root has no limit.
func TestNoProcesses(t *testing.T) {
	leaktest.Check(t)
	c := userprocess.Command{Role: "full"}
	if os.Getuid() == 0 {
		c.Credential = &syscall.Credential{Uid: 54321, Gid: 54321} // who has no other processes
	}
	got, exit := output(t, c)
	const failure = "true userprocess: cannot start true: fork/exec /bin/true: resource temporarily unavailable\n"
	if want := strings.Repeat(failure, 10) + "exit code 0 <nil>\n"; got != want || !exit.OK() {
		t.Errorf("%q, %v; want %q", got, exit, want)
	}
}

// This program is another program, too, if it is asked for by its file.
func TestSelfByPath(t *testing.T) {
	leaktest.Check(t)
	c := &userprocess.Command{Path: "/proc/self/exe", Args: []string{"-test.run", "^$"}, Stdout: userprocess.Null, Stderr: userprocess.Null}
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := p.Wait(); err != nil || exit.Code != 0 {
		t.Errorf("Wait() = %v, %v", exit, err)
	}
}

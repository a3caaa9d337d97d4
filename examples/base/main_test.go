//go:build linux

package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
)

func TestMain(m *testing.M) {
	if echotest.IsServer() {
		main()
	}
	os.Exit(m.Run())
}

// command returns the command that runs this program as the server.
func command(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	return echotest.Self(tb, *runtime, args...)
}

// start starts a server on a free port, and waits until it is ready.
func start(tb testing.TB, args ...string) *echotest.Process {
	tb.Helper()
	return echotest.Start(tb, command(tb, args...))
}

func TestWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-tasks", "-1"}, "base: -tasks -1 is out of range, want 0 to 1024 (-h shows the flags)\n"},
		{[]string{"-tasks", "1025"}, "base: -tasks 1025 is out of range, want 0 to 1024 (-h shows the flags)\n"},
		{[]string{"-drain", "0s"}, "base: -drain 0s and -grace 10s must be more than 0 (-h shows the flags)\n"},
		{[]string{"-workers", "0"}, "base: -workers 0 is out of range, want 1 to 1024 (-h shows the flags)\n"},
	} {
		cmd := command(t, test.args...)
		text, _ := cmd.CombinedOutput() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != 2 || string(text) != test.want {
			t.Errorf("%q: %q, exit code %d; want %q, exit code 2", test.args, text, code, test.want)
		}
	}
}

//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// asServer in the environment makes the test binary the server: the tests run
// it as a program of its own, built as they are, with -race or without.
const asServer = "BASE_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	os.Exit(m.Run())
}

// start starts a server on a free port, and waits until it is ready.
func start(tb testing.TB, args ...string) *echotest.Process {
	tb.Helper()
	return echotest.Start(tb, command(tb, args...))
}

// command returns a server on a free port, which ends with the test at the latest.
func command(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), *runtime)
	tb.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0 halt_on_error=1")
	return cmd
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

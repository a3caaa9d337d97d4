//go:build linux

package echotest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// asServer in the environment makes a test binary the server: the tests run it as a
// program of its own, built as they are, with -race or without.
const asServer = "ECHO_TEST_AS_SERVER"

// IsServer reports whether this process is to be the server, not its tests.
func IsServer() bool { return os.Getenv(asServer) != "" }

// Self returns this test binary as a server on a free port, which ends with the test,
// or after limit.
func Self(tb testing.TB, limit time.Duration, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	tb.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0 halt_on_error=1")
	return cmd
}

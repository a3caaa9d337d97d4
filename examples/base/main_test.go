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
func start(t testing.TB, args ...string) *echotest.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), *runtime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0 halt_on_error=1")
	return echotest.Start(t, cmd)
}

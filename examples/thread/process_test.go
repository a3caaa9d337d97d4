//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// command returns the command that runs this program as the server.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*echotest.Patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0 halt_on_error=1")
	return cmd
}

// start starts a server on a free port, unless args say otherwise, and waits
// until it is ready.
func start(t *testing.T, args ...string) *echotest.Process {
	t.Helper()
	return echotest.Start(t, command(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...))
}

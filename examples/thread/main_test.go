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
	return echotest.Self(tb, 2*echotest.Patience, args...)
}

// start starts a server on a free port, unless args say otherwise, and waits until it
// is ready.
func start(tb testing.TB, args ...string) *echotest.Process {
	tb.Helper()
	return echotest.Start(tb, command(tb, args...))
}

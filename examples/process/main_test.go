//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/echotest"
)

// The long form of the tests is the same with larger numbers.
var (
	kills   = flag.Int("kills", 7, "how many workers each test of TestKills kills")      //nolint:gochecknoglobals // a flag
	reloads = flag.Int("reloads", 5, "how often TestReloadUnderLoad reloads")            //nolint:gochecknoglobals // a flag
	idle    = flag.Int("idle", 1000, "how many clients of TestIdle do nothing")          //nolint:gochecknoglobals // a flag
	runtime = flag.Duration("runtime", 6*echotest.Patience, "how long a server may run") //nolint:gochecknoglobals // a flag
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

// stats returns what the server answers to /stats, on a connection of its own, however
// often the worker dies that is to ask.
func stats(tb testing.TB, p *echotest.Process) *report {
	tb.Helper()
	c := p.Dial(tb)
	defer c.HangUp(tb)
	for {
		line := c.Ask(tb, "/stats")
		if line == "error: request lost" {
			continue
		}
		r := &report{Report: new(echo.Report)}
		if err := json.Unmarshal([]byte(line), r); err != nil {
			tb.Fatalf("/stats = %s: %v", line, err)
		}
		return r
	}
}

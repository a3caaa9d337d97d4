//go:build linux

package envelope_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
)

// The test binary is the program of its own child processes, which this variable
// tells apart.
const childVariable = "PLAIT_ENVELOPE_CHILD"

func TestMain(m *testing.M) {
	programs := map[string]func(args []string) error{
		"consume": consumeProgram,
		"produce": produceProgram,
		"limited": limitedProgram,
	}
	name := os.Getenv(childVariable)
	if name == "" {
		m.Run()
		return
	}
	if err := programs[name](os.Args[1:]); err != nil {
		panic(fmt.Sprintf("child %s: %v", name, err))
	}
}

// child returns a command that runs a program of TestMain's.
func child(tb testing.TB, name string, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.CommandContext(within(tb), self, args...)
	// The race detector has a program sleep for a second before it exits.
	cmd.Env = append(os.Environ(), childVariable+"="+name, "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// openArgument opens the queue whose ID is an argument of a program.
func openArgument(arg string) (*sysvmsg.Queue, error) {
	id, err := strconv.Atoi(arg)
	if err != nil {
		return nil, err
	}
	return sysvmsg.OpenID(id)
}

//go:build linux

package nofork_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/userprocess/nofork"
)

const asChild = "NOFORK_TEST_AS_CHILD"

// Processes start before and afterwards, and none meanwhile.
func TestBegin(t *testing.T) {
	if os.Getenv(asChild) == "" && os.Getuid() == 0 {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestBegin$")
		cmd.Env = append(os.Environ(), asChild+"=1", "GORACE=atexit_sleep_ms=0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54323, Gid: 54323}}
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
		return
	}
	start := func() error { return exec.CommandContext(t.Context(), "/bin/true").Run() }
	if err := start(); err != nil {
		t.Fatal(err)
	}
	end, err := nofork.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := start(); !errors.Is(err, unix.EAGAIN) {
			t.Errorf("%v, want EAGAIN", err)
		}
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Error(err)
	}
}

//go:build linux

package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
)

// A command asks of a queue what it needs, so that one who may only send can.
func TestSendToWhatIsNotReadable(t *testing.T) {
	place := t.TempDir() + ":W"
	at := newPlace(t, place)
	key, err := at.resolve()
	must(t, err)
	q, err := sysvmsg.Open(key, &sysvmsg.Options{Create: sysvmsg.CreateExclusive, Mode: 0o222})
	must(t, err)
	removeAtEnd(t, q)
	for _, more := range []string{"-raw", "-create"} {
		cmd := child(t, "send", "-key", key.String(), "-raw", more, "x")
		cmd.Path, cmd.Dir = "/proc/self/exe", "/" // by this name others find it, too, who may not enter its folder
		if os.Getuid() == 0 {                     // whom permissions do not keep from reading
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("msgq send -raw %s = %q, %v; want it sent", more, out, err)
		}
	}
	must(t, q.SetPermissions(0o600, -1, -1))
	if diff := cmp.Diff([]message{{1, "x"}, {1, "x"}}, content(t, q)); diff != "" {
		t.Errorf("in the queue (-want +got):\n%s", diff)
	}
}

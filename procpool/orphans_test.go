//go:build linux

package procpool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
)

// bear starts a program by means that know nothing of pools, and ends.
func bear(ctx context.Context, w *procpool.Worker) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sleep", "600")
	if err := cmd.Start(); err != nil {
		return err
	}
	_, _ = fmt.Println(cmd.Process.Pid) //nolint:forbidigo // a program
	return w.Ready()
}

// The manager inherits what its workers leave behind, and reaps it, if it is to.
func TestOrphans(t *testing.T) {
	seen, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(seen.Close(), theirs.Close()) })
	g := role("bear", 1)
	g.Restart.Policy = procpool.Never
	g.Command.Files = map[string]syscall.Conn{"stdout": theirs}
	r := runWith(t, &procpool.Options{Orphans: true}, g, role("serve", 1))
	var pid int
	if _, err := fmt.Fscanln(bufio.NewReader(seen), &pid); err != nil {
		t.Fatal(err)
	}
	r.until(procpool.Exited)
	if parent, _ := family(t, pid); parent != os.Getpid() {
		t.Errorf("the parent is %d, want %d", parent, os.Getpid())
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < time.Minute; {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	t.Errorf("process %d has not been reaped", pid)
}

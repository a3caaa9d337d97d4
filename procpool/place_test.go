//go:build linux

package procpool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
)

// Workers are children of the manager, each in a process group and a slot of its own,
// and have what was named for them, and nothing else that is open in the manager.
func TestPlaceOfAWorker(t *testing.T) {
	leak, err := unix.Open("/proc/self/exe", unix.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(leak) })
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = null.Close() })
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g := role("serve", 4)
	g.Command.Files = map[string]syscall.Conn{"null": null}
	r := run(t, g)
	for range 4 {
		r.until(procpool.Ready)
	}
	for slot, st := range r.Status() {
		if st.Slot != slot || st.Incarnation != 1 || st.State != procpool.StateIdle {
			t.Errorf("%+v, want the first worker of slot %d", st, slot)
		}
		if parent, group := family(t, st.PID); parent != os.Getpid() || group != st.PID {
			t.Errorf("worker %d has parent %d and group %d, want %d and itself", st.PID, parent, group, os.Getpid())
		}
		has := descriptors(t, st.PID)
		if has[exe] || !has[os.DevNull] {
			t.Errorf("worker %d has %v; want %s, and not %s", slot, has, os.DevNull, exe)
		}
	}
}

// family returns the parent of a process, and its process group. See proc_pid_stat(5).
func family(t *testing.T, pid int) (parent, group int) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	var state string
	if _, err := fmt.Sscan(rest, &state, &parent, &group); err != nil {
		t.Fatal(err)
	}
	return parent, group
}

// descriptors returns what a process has open besides its standard input and output.
// Its own children must have none of it.
func descriptors(t *testing.T, pid int) map[string]bool {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	entries, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]bool)
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n <= 2 {
			continue
		}
		what, err := os.Readlink(filepath.Join(dir, "fd", e.Name()))
		if err != nil {
			continue // the runtime has closed it
		}
		all[what] = true
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", e.Name()))
		if err == nil && !closesOnExec(t, string(info)) {
			t.Errorf("descriptor %d, %s, does not close when its worker executes another program", n, what)
		}
	}
	return all
}

// closesOnExec looks for O_CLOEXEC. See proc_pid_fdinfo(5).
func closesOnExec(t *testing.T, info string) bool {
	t.Helper()
	_, rest, _ := strings.Cut(info, "flags:")
	var flags int
	if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%o", &flags); err != nil {
		t.Fatalf("%q: %v", info, err)
	}
	return flags&unix.O_CLOEXEC != 0
}

// children starts a program by means that know nothing of pools, and looks at nothing.
func children(ctx context.Context, w *procpool.Worker) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sleep", "600")
	if err := cmd.Start(); err != nil {
		return err
	}
	_, _ = fmt.Println(cmd.Process.Pid) //nolint:forbidigo // a program
	return deaf(ctx, w)
}

// Who has to be killed takes along what it has started.
func TestKillOfAGroup(t *testing.T) {
	seen, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(seen.Close(), theirs.Close()) })
	g := role("children", 1)
	g.Drain, g.Grace = 20*time.Millisecond, 20*time.Millisecond
	g.Command.Files = map[string]syscall.Conn{"stdout": theirs}
	r := run(t, g)
	r.until(procpool.Ready)
	pid, err := bufio.NewReader(seen).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	waitGone(t, strings.TrimSpace(pid), time.Now().Add(time.Second))
	if c := r.Counters(); c.Kills != 1 {
		t.Errorf("%+v, want one that was killed", c)
	}
}

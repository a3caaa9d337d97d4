//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// used returns a queue that processes have sent to and received from which are gone.
func used(tb testing.TB) (q *sysvmsg.Queue, id string) {
	tb.Helper()
	q, id = queue(tb, 0)
	must(tb, child(tb, "send", "-id", id, "x").Run())
	must(tb, child(tb, "receive", "-id", id).Run())
	return q, id
}

func TestCleanFindsWhatIsLeft(t *testing.T) {
	_, id := used(t)
	msgq(t, "clean", "-id", id).want(t, exitDone, "") // it is not an hour old
	r := msgq(t, "clean", "-id", id, "-age", "0")
	if r.code != exitDone || !strings.HasPrefix(r.out, "would remove queue "+id+" (key private, 0 messages, ") || r.err != "" {
		t.Errorf("msgq clean = %+v; want queue %s", r, id)
	}
	if again := msgq(t, "clean", "-id", id, "-age", "0"); again != r {
		t.Errorf("msgq clean again = %+v; want %+v", again, r)
	}
	if all := msgq(t, "clean", "-age", "0"); !strings.Contains(all.out, r.out) {
		t.Errorf("msgq clean = %+v; want %q in it", all, r.out)
	}
	r = msgq(t, "clean", "-id", id, "-age", "0", "-yes")
	if r.code != exitDone || !strings.HasPrefix(r.out, "removed queue "+id) || r.err != "" {
		t.Errorf("msgq clean -yes = %+v; want queue %s", r, id)
	}
	msgq(t, "stat", "-id", id).want(t, exitNothing, "", "does not exist")
}

// Each of these keeps a queue from being removed, and the flag changes that.
func TestCleanSparesQueues(t *testing.T) {
	t.Run("with a message", func(t *testing.T) {
		_, id := used(t)
		must(t, child(t, "send", "-id", id, "x").Run())
		wantClean(t, "", "-id", id)
		wantClean(t, id, "-id", id, "-messages")
	})
	t.Run("never used", func(t *testing.T) {
		_, id := queue(t, 0)
		wantClean(t, "", "-id", id)
		wantClean(t, id, "-id", id, "-unused")
	})
	t.Run("received from by a process that is there", func(t *testing.T) {
		q, id := queue(t, 0)
		must(t, child(t, "send", "-id", id, "x").Run())
		content(t, q)
		wantClean(t, "", "-id", id, "-messages", "-unused")
	})
	t.Run("sent to by a process that is there", func(t *testing.T) {
		q, id := used(t)
		put(t, q, 1, "x")
		must(t, child(t, "receive", "-id", id, "-raw").Run())
		wantClean(t, "", "-id", id, "-messages", "-unused")
	})
	t.Run("of another user", func(t *testing.T) {
		q, id := used(t)
		if q.SetPermissions(0o600, os.Getuid()+1, -1) != nil {
			t.Skip("a queue cannot be given away")
		}
		wantClean(t, "", "-id", id)
		wantClean(t, id, "-id", id, "-all-users")
	})
}

// A queue with a key is somebody's who may come again.
func TestCleanSparesKeys(t *testing.T) {
	at := newPlace(t, t.TempDir()+":C")
	key, err := at.resolve()
	must(t, err)
	must(t, child(t, "send", "-file", at.value, "-create", "x").Run())
	q, err := at.open(toTake)
	must(t, err)
	removeAtEnd(t, q)
	must(t, child(t, "receive", "-file", at.value).Run())
	if r := msgq(t, "clean", "-age", "0"); strings.Contains(r.out, key.String()) {
		t.Errorf("msgq clean = %+v; want no queue with a key", r)
	}
	wantClean(t, key.String(), "-key", key.String())
}

// wantClean fails tb unless these flags find one queue, or none.
func wantClean(tb testing.TB, want string, flags ...string) {
	tb.Helper()
	r := msgq(tb, append([]string{"clean", "-age", "0"}, flags...)...)
	if r.code != exitDone || !strings.Contains(r.out, want) || (want == "") != (r.out == "") {
		tb.Errorf("msgq clean %q = %+v; want %q", flags, r, want)
	}
}

// Nothing tells from a queue who waits for the next message; /proc does.
func TestCleanSparesWaiters(t *testing.T) {
	q, id := used(t)
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error)
	go func() { // ends with ctx
		_, _, err := q.Receive(ctx, sysvmsg.Any(), make([]byte, 10))
		done <- err
	}()
	if _, err := os.ReadFile("/proc/thread-self/syscall"); err == nil {
		for ctx.Err() == nil && !waitedFor()[q.ID()] {
			runtime.Gosched() // until the thread is in the kernel
		}
		wantClean(t, "", "-id", id)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Receive() = %v; want context.Canceled", err)
	}
	wantClean(t, id, "-id", id)
}

// A queue that changed since it was judged stays.
func TestCleanLooksAgain(t *testing.T) {
	q, _ := used(t)
	was, err := q.Stat()
	must(t, err)
	put(t, q, 1, "x")
	if err := (&clean{}).remove(was); err == nil || !strings.Contains(err.Error(), "stays") {
		t.Errorf("remove of a queue in use = %v; want an error", err)
	}
	if _, err := q.Stat(); err != nil {
		t.Errorf("Stat() = %v; want the queue", err)
	}
}

// All private queues, in an IPC namespace where there are none but these.
func TestCleanAll(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	script := `set -e
		for i in 1 2 3; do "$0" send -key 0x5$i -create x; "$0" receive -key 0x5$i; done
		"$0" clean -age 0 -yes
		"$0" clean -age 0 -yes -key 0x51 -key 0x53
		"$0" list | tail -n +2 | cut -c 1-20`
	cmd := exec.CommandContext(within(t), "sh", "-c", script, self)
	cmd.Env = append(os.Environ(), childVariable+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWIPC | unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if cmd.Process == nil {
		t.Skipf("no new namespace: %v", err)
	}
	if got := string(out); err != nil || strings.Count(got, "removed queue ") != 2 || strings.Count(got, "0x00000052") != 1 {
		t.Errorf("%v, %s; want two queues removed, and 0x52 left", err, got)
	}
}

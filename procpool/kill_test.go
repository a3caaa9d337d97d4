//go:build linux

package procpool_test

import (
	"errors"
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/uds/leaktest"
)

// The long form of the tests is the same with larger numbers.
var (
	restarts = flag.Int("restarts", 200, "how many workers TestRestartsLeakNothing sees end")     //nolint:gochecknoglobals // a flag
	stops    = flag.Int("stops", 50, "how often TestStoppedWorkersAreNotReplaced stops a worker") //nolint:gochecknoglobals // a flag
)

// Workers that come and go leave nothing. Now and then they stay, to be counted.
func TestRestartsLeakNothing(t *testing.T) {
	const slots = 2
	period := *restarts / slots / 2
	g := role("pass", slots)
	g.Command.Args = []string{strconv.Itoa(period)}
	g.Restart.Burst = 1 << 30 // no backoff
	r := run(t, g)
	var fds, tasks int
	var heap uint64
	for round := range 3 {
		for range slots {
			r.until(procpool.Ready)
		}
		nfds, n, bytes := len(leaktest.FDs(t)), threads(t), heapInUse()
		if round == 0 { // what is made once has been made
			fds, tasks, heap = nfds, n, bytes
		}
		if nfds > fds+8 || n > tasks+4 || bytes > heap+1<<20 { // a worker may be just gone
			t.Errorf("%d descriptors, %d before; %d threads, %d before; %d bytes, %d before", nfds, fds, n, tasks, bytes, heap)
		}
		for _, st := range r.Status() {
			r.kill(st.PID)
		}
	}
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	c := r.Counters()
	if c.Starts != c.Exits || c.Restarts < int64(*restarts) || c.StartFailures != 0 {
		t.Errorf("%+v: want as many ends as starts, and %d restarts", c, *restarts)
	}
	t.Logf("%+v; %d descriptors, %d threads, %d bytes", c, fds, tasks, heap)
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

func heapInUse() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The same worker is killed again and again: each time its slot is alive again, with
// another process.
func TestKillOneSlot(t *testing.T) {
	r := run(t, role("serve", 3))
	for range 3 {
		r.until(procpool.Ready)
	}
	seen := make(map[int]bool)
	for i := range 5 {
		st := r.Status()[1]
		if seen[st.PID] || st.Slot != 1 || st.Incarnation != i+1 || st.State != procpool.StateIdle {
			t.Errorf("after %d kills: %+v", i, st)
		}
		seen[st.PID] = true
		r.kill(st.PID)
		e := r.until(procpool.Exited)
		if e.PID != st.PID || e.Exit.Signal != syscall.SIGKILL || e.Expected {
			t.Errorf("%v, want the end of %d", e, st.PID)
		}
		r.until(procpool.Ready)
	}
	if c := r.Counters(); c.Restarts != 5 || c.Failures != 5 || c.Kills != 0 {
		t.Errorf("%+v, want 5 restarts after 5 failures", c)
	}
}

func TestKillAllAtOnce(t *testing.T) {
	const count = 6
	r := run(t, role("serve", count))
	for range count {
		r.until(procpool.Ready)
	}
	for range 4 {
		for _, st := range r.Status() {
			r.kill(st.PID)
		}
		for range count {
			r.until(procpool.Ready)
		}
	}
	for _, st := range r.Status() {
		if st.Incarnation != 5 || st.Restarts != 4 || st.State != procpool.StateIdle {
			t.Errorf("%+v, want the fifth worker of the slot", st)
		}
	}
}

// kill kills a worker, which is ours.
func (r *running) kill(pid int) {
	r.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		r.Fatal(err)
	}
}

// A worker that is stopped is still there: nobody takes its place, and it can be
// asked to finish, or killed, when it does not.
func TestStoppedWorkersAreNotReplaced(t *testing.T) {
	g := role("serve", 3)
	g.Drain, g.Grace = 20*time.Millisecond, 20*time.Millisecond
	r := run(t, g)
	for range 3 {
		r.until(procpool.Ready)
	}
	for i := range *stops {
		pid := r.Status()[i%3].PID
		if err := errors.Join(syscall.Kill(pid, syscall.SIGSTOP), syscall.Kill(pid, syscall.SIGCONT)); err != nil {
			t.Fatal(err)
		}
	}
	pid := r.Status()[0].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if c := r.Counters(); c.Starts != 3 || c.Exits != 0 {
		t.Errorf("%+v, want 3 starts and no end", c)
	}
	if err := r.Reload(t.Context()); err != nil { // SIGTERM comes with SIGCONT
		t.Errorf("Reload: %v", err)
	}
}

// Where descriptors are short, a worker that has ended is not replaced, until there
// are enough again.
func TestNoDescriptors(t *testing.T) {
	g := role("serve", 2)
	g.Restart = procpool.Restart{Min: time.Millisecond, Max: time.Millisecond}
	r := run(t, g)
	for range 2 {
		r.until(procpool.Ready)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 4
	setLimit(t, low)
	defer setLimit(t, limit)
	r.kill(r.Status()[0].PID)
	for range 8 {
		if e := r.until(procpool.StartFailed); !errors.Is(e.Err, syscall.EMFILE) {
			t.Errorf("%v, want EMFILE", e)
		}
	}
	setLimit(t, limit)
	r.until(procpool.Ready)
	if st := r.Status(); st[0].State != procpool.StateIdle || st[1].Incarnation != 1 {
		t.Errorf("%+v", st)
	}
}

func setLimit(t *testing.T, limit unix.Rlimit) {
	t.Helper()
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

func TestEnds(t *testing.T) {
	for _, test := range []struct {
		role   string
		change func(*procpool.Group)
		events string
	}{
		{"leave", func(g *procpool.Group) { g.Restart.Policy = procpool.OnFailure }, "started exited finished"},
		{"crash", func(g *procpool.Group) { g.Restart.Policy = procpool.Never }, "started ready exited finished"},
		{"never", func(g *procpool.Group) {
			g.Start, g.Restart.Policy = 100*time.Millisecond, procpool.Never
		}, "started start failed stopping exited finished"},
		{"plain", func(g *procpool.Group) {
			g.Start, g.Restart.Policy = 100*time.Millisecond, procpool.Never
		}, "started start failed stopping exited finished"},
	} {
		t.Run(test.role, func(t *testing.T) {
			g := role(test.role, 1)
			test.change(g)
			r := run(t, g)
			err := <-r.done // by itself
			r.done <- err
			var got []string
			for len(r.events) > 0 {
				got = append(got, (<-r.events).Kind.String())
			}
			if s := strings.Join(got, " "); s != test.events || err != nil {
				t.Errorf("events: %s; Run: %v; want %s", s, err, test.events)
			}
		})
	}
}

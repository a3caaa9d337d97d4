//go:build linux

package procpool_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// A manager that is killed takes its workers with it, whatever they do: those that
// serve, that look at nothing, that keep a processor busy, that have left their group, and other programs. What
// they listened on can be listened on at once.
func TestManagerIsKilled(t *testing.T) {
	leaktest.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	command := &userprocess.Command{
		Role: "manager", Args: []string{"serve", "deaf", "spin", "detach", "plain"}, Stdout: userprocess.Pipe,
		Files: map[string]syscall.Conn{"listener": l.(*net.TCPListener)},
	}
	m, err := command.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	const workers = 13 // two of each role, one more in the place of each that has left, and a program
	lines := bufio.NewScanner(m.Stdout())
	pids := make(map[string]bool)
	for len(pids) < workers && lines.Scan() {
		pids[lines.Text()] = true
	}
	if err := m.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	if _, err := m.Wait(); err != nil {
		t.Fatal(err)
	}
	for pid := range pids {
		waitGone(t, pid, killed.Add(time.Second))
	}
	again, err := net.Listen("tcp", addr)
	for err != nil && time.Now().Before(killed.Add(time.Second)) { // the first thread ends before the last one
		again, err = net.Listen("tcp", addr)
	}
	if err != nil {
		t.Fatalf("after the end of the pool: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// waitGone waits for the end of a process that is nobody's child any more.
func waitGone(t *testing.T, pid string, deadline time.Time) {
	t.Helper()
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("process is still there: %s", stat)
			return
		}
	}
}

// O_NONBLOCK belongs to the open file, which is one for all: nobody changes it, be it
// on or off.
func TestNobodyChangesNonblock(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	blocking, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blocking.Close() })
	files := map[string]syscall.Conn{"listener": l.(*net.TCPListener), "blocking": blocking}
	want := map[string]string{"listener": flags(t, files["listener"]), "blocking": flags(t, files["blocking"])}
	if !strings.Contains(want["listener"], "nonblock") || strings.Contains(want["blocking"], "nonblock") {
		t.Fatalf("%v", want)
	}
	seen, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(seen.Close(), theirs.Close()) })
	g := role("flags", 2)
	g.Command.Files = files
	g.Command.Files["stdout"] = theirs
	r := run(t, g)
	lines := bufio.NewScanner(seen)
	check := func() {
		t.Helper()
		for range 2 {
			lines.Scan()
			if got := lines.Text(); got != fmt.Sprint(want["blocking"], ", ", want["listener"]) {
				t.Errorf("a worker sees %s, want %v", got, want)
			}
		}
		for name, f := range files {
			if got := flags(t, f); name != "stdout" && got != want[name] {
				t.Errorf("%s: %s, want %s", name, got, want[name])
			}
		}
	}
	check()
	for range 2 {
		r.until(procpool.Ready)
	}
	for range 5 {
		for _, st := range r.Status() {
			r.kill(st.PID)
		}
		for range 2 {
			r.until(procpool.Ready)
		}
		check()
	}
}

// flags returns whether a file is in non-blocking mode.
func flags(t *testing.T, c syscall.Conn) (text string) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { text = nonblock(int(fd)) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func nonblock(fd int) string {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	switch {
	case err != nil:
		return err.Error()
	case flags&unix.O_NONBLOCK != 0:
		return "nonblock"
	}
	return "block"
}

// User processes are kept running, but a reload leaves them alone unless they say
// otherwise, or are named.
func TestUserProcesses(t *testing.T) {
	monitor := role("serve", 1)
	monitor.Name, monitor.Kind = "monitor", procpool.UserProcesses
	eager := role("serve", 1)
	eager.Name, eager.Kind, eager.Reload = "eager", procpool.UserProcesses, true
	program := &procpool.Group{
		Name: "program", Kind: procpool.UserProcesses,
		Command: userprocess.Command{Path: "/bin/sleep", Args: []string{"600"}},
	}
	r := run(t, role("serve", 1), monitor, eager, program)
	for range 4 {
		r.until(procpool.Ready)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"serve": 2, "monitor": 1, "eager": 2, "program": 1}, r.incarnations()); diff != "" {
		t.Errorf("after a reload: %s", diff)
	}
	if err := r.Reload(t.Context(), "monitor", "program"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"serve": 2, "monitor": 2, "eager": 2, "program": 2}, r.incarnations()); diff != "" {
		t.Errorf("after a reload by name: %s", diff)
	}
	for _, st := range r.Status() {
		if (st.Kind == procpool.UserProcesses) != (st.Group != "serve") {
			t.Errorf("%+v", st)
		}
	}
}

// A user process is restarted when it has ended, and can be sent messages.
func TestUserProcessesAreKept(t *testing.T) {
	companion := role("answer", 1)
	companion.Kind = procpool.UserProcesses
	r := run(t, role("serve", 1), companion)
	for range 2 {
		r.until(procpool.Ready)
	}
	r.kill(r.Status()[1].PID)
	if e := r.until(procpool.Ready); e.Group != "answer" || e.Incarnation != 2 {
		t.Errorf("%v, want another user process", e)
	}
	if err := r.Send(t.Context(), procpool.Address{Group: "answer"}, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	m, err := r.Receive(t.Context())
	if want := (procpool.Address{Group: "answer", Incarnation: 2}); err != nil || string(m.Payload) != "hello" || m.From != want {
		t.Errorf("%q from %v, %v; want it from %v", m.Payload, m.From, err, want)
	}
	if st := r.Status()[1]; st.Requests != 1 || st.Restarts != 1 || st.LastExit.Signal != syscall.SIGKILL {
		t.Errorf("%+v, want one request, after one restart", st)
	}
}

func (r *running) incarnations() map[string]int {
	all := make(map[string]int)
	for _, st := range r.Status() {
		all[st.Group] = st.Incarnation
	}
	return all
}

func TestReload(t *testing.T) {
	r := run(t, role("serve", 3))
	for range 3 {
		r.until(procpool.Ready)
	}
	for i := range 5 {
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, st := range r.Status() {
			if st.Incarnation != i+2 || st.State != procpool.StateIdle {
				t.Errorf("after %d reloads: %+v", i+1, st)
			}
		}
	}
	if c := r.Counters(); c.Starts != 18 || c.Exits != 15 || c.Failures+c.Kills+c.Aborts != 0 || c.Reloads != 5 {
		t.Errorf("%+v, want 5 reloads of 3", c)
	}
}

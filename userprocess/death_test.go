//go:build linux

package userprocess_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// promise is how long anything may outlive its parent.
const promise = time.Second

// gone reports whether a process is there no more, or only as a zombie.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

// awaitGone waits until processes are gone, and reports those that take longer than
// was promised. A slow machine has more time to see it.
func awaitGone(t *testing.T, pids []int) {
	t.Helper()
	began := time.Now()
	for _, pid := range pids {
		for !gone(pid) {
			if time.Since(began) > 10*promise {
				t.Errorf("process %d is there after %v", pid, time.Since(began))
				_ = unix.Kill(pid, unix.SIGKILL)
				break
			}
		}
	}
	if d := time.Since(began); d > promise {
		t.Logf("the last of %d processes was gone after %v", len(pids), d)
	}
}

// family starts a parent, and returns it with its children's numbers.
func family(t *testing.T, args ...string) (*userprocess.Process, []int) {
	t.Helper()
	p, lines := begun(t, &userprocess.Command{Role: "parent", Args: args, Stderr: userprocess.Null})
	var pids []int
	for line := lines.Text(); line != "ready"; line = lines.Text() {
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatalf("%q", line)
		}
		pids = append(pids, pid)
		lines.Scan()
	}
	return p, pids
}

// However a parent ends, its children do: roles that look at nothing, other programs,
// those that a launcher has started, that ignore SIGTERM, or that have been stopped.
// They become this process's, so that the kernel wakes none for having no parent left
// in its session.
func TestChildrenOfTheDead(t *testing.T) {
	leaktest.Check(t)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }() // as it was
	for name, end := range map[string]func(p *userprocess.Process) error{
		"killed":     func(p *userprocess.Process) error { return p.Signal(unix.SIGKILL) },
		"returns":    func(p *userprocess.Process) error { return p.Signal(unix.SIGTERM) },
		"aborts":     func(p *userprocess.Process) error { return p.Signal(unix.SIGQUIT) },
		"was paused": func(p *userprocess.Process) error { return errors.Join(p.Signal(unix.SIGSTOP), p.Signal(unix.SIGKILL)) },
	} {
		for _, args := range [][]string{nil, {"stopped"}} {
			t.Run(name, func(t *testing.T) {
				p, pids := family(t, args...)
				if err := end(p); err != nil {
					t.Fatal(err)
				}
				if _, err := p.Wait(); err != nil {
					t.Error(err)
				}
				awaitGone(t, pids)
				for _, pid := range pids {
					_, _ = unix.Wait4(pid, nil, 0, nil) // or its parent has reaped it
				}
			})
		}
	}
}

// A role is told, and has half a second to say goodbye.
func TestGoodbye(t *testing.T) {
	leaktest.Check(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	p := start(t, &userprocess.Command{Role: "of a role", Files: map[string]syscall.Conn{"stdout": w}})
	_ = w.Close()
	lines := bufio.NewScanner(r)
	if lines.Scan(); lines.Text() != "ready" {
		t.Errorf("%q", lines.Text())
	}
	if err := p.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if lines.Scan(); lines.Text() != userprocess.ErrParentGone.Error() {
		t.Errorf("%q, want %v", lines.Text(), userprocess.ErrParentGone)
	}
	if lines.Scan() {
		t.Errorf("%q", lines.Text())
	}
}

// A child that is started by a goroutine whose thread ends lives on.
func TestThreadOfTheStart(t *testing.T) {
	leaktest.Check(t)
	started := make(chan *userprocess.Process)
	for range 3 {
		go func() {
			lockForGood() // the thread ends with the goroutine
			p, err := (&userprocess.Command{Path: "/bin/cat", Stdin: userprocess.Pipe, Stdout: userprocess.Pipe}).Start(t.Context())
			if err != nil {
				t.Error(err)
			}
			started <- p
		}()
		p := <-started
		if p == nil {
			return
		}
		for range 3 {
			runInThreads(t)
			if _, err := p.Stdin().Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(p.Stdout(), make([]byte, 1)); err != nil {
				t.Errorf("the child is gone: %v", err)
			}
		}
		if _, err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		_ = p.Close()
	}
}

//go:build linux

package userprocess_test

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

func start(t *testing.T, c *userprocess.Command) *userprocess.Process {
	t.Helper()
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Kill()
		_, _ = p.Wait()
		_ = p.Close()
	})
	return p
}

func TestRoleEchoes(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Role: "echo", Pipe: uds.SeqPacket})
	buf := make([]byte, 100)
	for range 3 {
		if _, err := p.Pipe().Send(t.Context(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
		n, err := p.Pipe().Receive(t.Context(), buf)
		if string(buf[:n]) != "hello" || err != nil {
			t.Fatalf("Receive = %q, %v", buf[:n], err)
		}
	}
	e, err := p.Stop(t.Context())
	if !e.OK() || err != nil {
		t.Fatalf("Stop = %v, %v", e, err)
	}
	if n, err := p.Pipe().Receive(t.Context(), buf); err != io.EOF {
		t.Errorf("Receive = %d, %v", n, err)
	}
}

func TestStopTellsWhy(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Role: "wait", Stdout: userprocess.Pipe})
	r := bufio.NewScanner(p.Stdout())
	r.Scan()
	go p.Stop(t.Context())
	r.Scan()
	if r.Text() != userprocess.ErrStopped.Error() {
		t.Errorf("%q", r.Text())
	}
	e, err := p.Wait()
	t.Log(e, err)
}

func TestStatusAndExec(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Role: "status"})
	e, err := p.Wait()
	if e.Code != 9 || err != nil {
		t.Errorf("%v, %v", e, err)
	}
	p = start(t, &userprocess.Command{Role: "replace", Args: []string{"HELLO"}, Stdout: userprocess.Pipe})
	out, err := io.ReadAll(p.Stdout())
	if string(out) != "HELLO\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	p = start(t, &userprocess.Command{Path: "/bin/sh", Args: []string{"-c", "ulimit -n; nice; ls /proc/self/fd; cat /proc/self/comm"}, Stdout: userprocess.Pipe,
		Rlimits: []userprocess.Rlimit{{unix.RLIMIT_NOFILE, 77, 99}}, Priority: 5, Affinity: []int{0}})
	out, err = io.ReadAll(p.Stdout())
	t.Logf("%q, %v", out, err)
	_, err = (&userprocess.Command{Path: "/bin/sh", Rlimits: []userprocess.Rlimit{{Resource: 999}}}).Start(t.Context())
	t.Log(err)
	_, err = (&userprocess.Command{Path: "/bin/nonsense"}).Start(t.Context())
	t.Log(err)
}

func TestGrandchildrenDieWithParent(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Role: "parent", Stdout: userprocess.Pipe})
	r := bufio.NewScanner(p.Stdout())
	var pids []string
	for range 3 {
		r.Scan()
		pids = append(pids, r.Text())
	}
	p.Signal(unix.SIGKILL)
	p.Wait()
	began := time.Now()
	for _, pid := range pids {
		if pid == "ready" {
			continue
		}
		for {
			b, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil || strings.Contains(string(b), ") Z") {
				break
			}
		}
	}
	t.Log(pids, time.Since(began))
}

//go:build linux

package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

func TestStopAnswersWhatIsInHand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t, "-workers", "2", "-tasks", "1")
		lines := echotest.Numbered(2000)
		clients, _ := oneEach(t, p, 2)
		busy, asleep := clients[0], clients[1]
		asleep.Send(t, "/sleep 300\r\nbehind\r\n")
		busy.Send(t, lines)
		p.Signal(t, sig)
		p.Said(t, "level=INFO", "stopping")
		busy.Expect(t, lines)
		asleep.Expect(t, "slept\r\nbehind\r\n")
		busy.ExpectEnd(t)
		asleep.ExpectEnd(t)
		if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
			t.Errorf("exit code %d, %q", code, complaints)
		}
		if _, err := net.Dial("tcp", p.Addr); err == nil {
			t.Error("somebody still listens")
		}
	}
}

// A worker that does not end keeps the server for -drain and -grace, or until a second
// signal.
func TestStopOfWhatHangs(t *testing.T) {
	for _, second := range []bool{false, true} {
		flags := []string{"-workers", "2"}
		if !second {
			flags = append(flags, "-drain", "200ms", "-grace", "200ms")
		}
		p := start(t, flags...)
		c := p.Dial(t)
		c.Send(t, "hello\r\n/sleep 60000\r\n")
		c.Expect(t, "hello\r\n")
		p.Signal(t, syscall.SIGTERM)
		p.Said(t, "level=INFO", "stopping")
		for done := ended(p); second && !isClosed(done); { // within 100 ms it counts as the first one
			_ = p.Cmd.Process.Signal(syscall.SIGTERM)
			time.Sleep(10 * time.Millisecond)
		}
		if code, killed := p.Wait(t, "killed"); code != 0 || len(killed) == 0 {
			t.Errorf("exit code %d, %q", code, killed)
		}
	}
}

// ended returns a channel that is closed when no process of the server is left.
func ended(p *echotest.Process) <-chan struct{} {
	done := make(chan struct{})
	go func() { // ends with the server
		defer close(done)
		for {
			if state, err := os.ReadFile("/proc/" + strconv.Itoa(p.Cmd.Process.Pid) + "/stat"); err != nil || strings.Contains(string(state), ") Z ") {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return done
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// What a reload has waited for in vain is cut, and counted: connections that do not
// end, and a worker that does not.
func TestReloadCuts(t *testing.T) {
	p := start(t, "-workers", "2", "-drain", "200ms", "-grace", "200ms")
	clients, _ := oneEach(t, p, 2)
	idle, asleep := clients[0], clients[1]
	asleep.Send(t, "hello\r\n/sleep 60000\r\n")
	asleep.Expect(t, "hello\r\n")
	p.Signal(t, syscall.SIGHUP)
	idle.ExpectEnd(t)
	p.Said(t, "level=WARN", "worker 1.1 killed")
	p.Said(t, "level=INFO", "reloaded")
	if r := settled(t, p); r.Cut != 1 || r.Lost != 1 || len(r.PIDs) != 2 {
		t.Errorf("%d connections cut, %d lost; want 1, and 1", r.Cut, r.Lost)
	}
	p.Signal(t, syscall.SIGUSR2)
	p.Said(t, "level=ERROR", "cannot reload", `no group`)
}

// A manager that is killed takes everything with it, and the server can be started
// again at once.
func TestManagerIsKilled(t *testing.T) {
	p := start(t, "-workers", "3", "-tasks", "1")
	clients, _ := oneEach(t, p, 3)
	clients[0].Send(t, "hello\r\n/sleep 60000\r\n")
	clients[0].Expect(t, "hello\r\n")
	pids := settled(t, p).PIDs
	killed := time.Now()
	p.Signal(t, syscall.SIGKILL)
	for _, pid := range pids {
		for !gone(pid) {
			if time.Since(killed) > time.Second {
				t.Fatalf("process %d is there %v after its manager was killed", pid, time.Since(killed))
			}
		}
	}
	again := start(t, "-workers", "2", "-addr", p.Addr)
	if got := again.Dial(t).Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
}

// gone reports whether a process has ended with all of its threads.
func gone(pid int64) bool {
	tasks, err := os.ReadDir("/proc/" + strconv.FormatInt(pid, 10) + "/task")
	if err != nil {
		return true
	}
	for _, task := range tasks {
		stat, err := os.ReadFile("/proc/" + strconv.FormatInt(pid, 10) + "/task/" + task.Name() + "/stat")
		if err == nil && !strings.Contains(string(stat), ") Z ") && !strings.Contains(string(stat), ") X ") {
			return false
		}
	}
	return true
}

// Ctrl-C reaches a whole terminal, and kill(1) any worker: neither costs a request.
func TestSignalsToWorkers(t *testing.T) {
	p := start(t, "-workers", "2")
	l := &load{addr: p.Addr}
	l.begin(4)
	pids := settled(t, p).PIDs
	for _, pid := range pids {
		if err := syscall.Kill(int(pid), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(int(pids[0]), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	r := settled(t, p)
	for ; r.PIDs[0] == pids[0] || r.PIDs[0] == 0; r = settled(t, p) {
	}
	l.end()
	if l.refused.Load()+l.wrong.Load() != 0 || r.Lost != 0 || r.PIDs[1] != pids[1] {
		t.Errorf("%v, %d lost, workers %v, were %v", l, r.Lost, r.PIDs, pids)
	}
}

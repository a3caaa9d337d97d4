//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Reloads under load: nothing breaks, is lost, or answered twice, and every worker is
// another one after each of them. The process that watches stays.
func TestReloadUnderLoad(t *testing.T) {
	p := start(t, "-workers", "3", "-reactors", "2", "-watch")
	l := &load{request: echoed, depth: 4}
	l.begin(t, p, 50)
	ids := &load{request: func(int, int) (string, string) { return "/id", "" }, depth: 4}
	ids.begin(t, p, 10)
	before := stats(t, p)
	for i := range *reloads {
		p.Signal(t, syscall.SIGHUP)
		p.Said(t, "level=INFO", "reloaded", "group=worker")
		after := stats(t, p)
		for slot, pid := range after.PIDs {
			if slices.Contains(before.PIDs, pid) {
				t.Errorf("reload %d: worker %d is still process %d", i+1, slot, pid)
			}
		}
		if after.Watch.PID != before.Watch.PID {
			t.Errorf("reload %d: the process that watches is %d, was %d", i+1, after.Watch.PID, before.Watch.PID)
		}
		before = after
	}
	l.end(t)
	ids.end(t)
	r := stats(t, p)
	t.Logf("%d reloads: %v; %v; %d sent elsewhere", *reloads, l, ids, r.Resent)
	if r.Lost+r.Again+r.Broken+r.Restarts+ids.lost.Load() != 0 {
		t.Errorf("%+v; want nothing lost or sent again", r)
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// SIGUSR2 replaces task workers, and no others.
func TestReloadTaskWorkers(t *testing.T) {
	p := start(t, "-workers", "2", "-tasks", "2")
	l := &load{depth: 2, request: func(client, n int) (string, string) {
		return fmt.Sprintf("/task text %d of client %d", n, client), fmt.Sprintf("TEXT %d OF CLIENT %d", n, client)
	}}
	l.begin(t, p, 10)
	before := stats(t, p)
	p.Signal(t, syscall.SIGUSR2)
	p.Said(t, "level=INFO", "reloaded", "group=task")
	after := stats(t, p)
	l.end(t)
	if !slices.Equal(after.PIDs, before.PIDs) || slices.ContainsFunc(after.Tasks.PIDs, func(pid int64) bool { return slices.Contains(before.Tasks.PIDs, pid) }) {
		t.Errorf("workers %v and task workers %v, were %v and %v", after.PIDs, after.Tasks.PIDs, before.PIDs, before.Tasks.PIDs)
	}
	if l.lost.Load() != 0 {
		t.Errorf("%v; want nothing lost", l)
	}
}

// An old worker goes on with what it has begun, while the new one answers others.
func TestReloadDrains(t *testing.T) {
	p := start(t, "-workers", "1", "-drain", "20s")
	slow, quick := p.Dial(t), p.Dial(t)
	old := slow.Ask(t, "/pid")
	slow.Send(t, "/sleep 1000\r\n/pid\r\n")
	p.Signal(t, syscall.SIGHUP)
	for quick.Ask(t, "/pid") == old {
		continue
	}
	slow.Expect(t, "slept\r\n")
	if pid := slow.Line(t); pid == "" {
		t.Error("/pid behind a /sleep has no answer")
	}
	p.Said(t, "level=INFO", "reloaded", "group=worker")
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// Workers that are blocked are killed when their time is up, and replaced.
func TestReloadByForce(t *testing.T) {
	const workers = 4
	p := start(t, "-workers", fmt.Sprint(workers), "-drain", "200ms", "-grace", "200ms")
	clients, _ := p.DialAll(t, workers)
	for _, c := range clients {
		c.Send(t, "/sleep 60000\r\nbehind\r\n")
	}
	p.Signal(t, syscall.SIGUSR1)
	p.Said(t, "level=INFO", "reloaded", "group=worker")
	for _, c := range clients {
		c.Expect(t, lost+"\r\nbehind\r\n")
	}
	r := stats(t, p)
	if r.Lost != workers || r.Resent < workers || r.Restarts != 0 {
		t.Errorf("%d lost, %d sent elsewhere, %d restarts; want %d, as many, none", r.Lost, r.Resent, r.Restarts, workers)
	}
	for _, line := range p.Stop(t) {
		if !strings.Contains(line, "killed") {
			t.Errorf("stderr has %q", line)
		}
	}
}

// The process that watches is restarted when it is killed.
func TestWatch(t *testing.T) {
	p := start(t, "-workers", "3", "-watch")
	first := stats(t, p).Watch
	for first.PID == 0 || first.Alive != 3 || first.Memory == 0 {
		first = stats(t, p).Watch
	}
	if err := syscall.Kill(int(first.PID), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.Said(t, "level=ERROR", "watch 0.1 exited")
	next := stats(t, p).Watch
	for next.PID == first.PID || next.Rounds < first.Rounds+2 {
		next = stats(t, p).Watch
	}
	if next.Alive != 3 {
		t.Errorf("it sees %d workers, want 3", next.Alive)
	}
}

//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// regain is the time after which a slot has one more immediate restart.
const regain = 2 * time.Second

// A killer kills workers, not sooner than they are restarted at once.
type killer struct {
	p    *echotest.Process
	last [][]time.Time // of each slot, when it was killed
}

func newKiller(p *echotest.Process, workers int) *killer {
	return &killer{p: p, last: make([][]time.Time, workers)}
}

// slot returns a slot by chance, of those that have an immediate restart left.
func (k *killer) slot() int {
	for {
		slot := rand.IntN(len(k.last))
		if kills := k.last[slot]; len(kills) < 5 || time.Since(kills[len(kills)-5]) > 5*regain {
			return slot
		}
		time.Sleep(time.Millisecond) // there is nothing to wait for but the time
	}
}

// kill sends SIGKILL to the workers of so many slots at once, and waits until each of
// them has another one, and returns how long that took.
func (k *killer) kill(tb testing.TB, n int) time.Duration {
	tb.Helper()
	victims := make(map[int]int64)
	pids := stats(tb, k.p).PIDs
	for len(victims) < n {
		if slot := k.slot(); pids[slot] != 0 {
			victims[slot] = pids[slot]
		}
	}
	begun := time.Now()
	for slot, pid := range victims {
		k.last[slot] = append(k.last[slot], begun)
		if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil && err != syscall.ESRCH { // a reload was faster
			tb.Fatal(err)
		}
	}
	for len(victims) > 0 {
		pids := stats(tb, k.p).PIDs
		for slot, pid := range victims {
			if pids[slot] != pid && pids[slot] != 0 {
				delete(victims, slot)
			}
		}
		if time.Since(begun) > echotest.Patience {
			tb.Fatalf("nobody new in the slots of %v", victims)
		}
	}
	return time.Since(begun)
}

// Workers are killed by chance under load from 200 connections. Not one of those breaks;
// echoes are all answered, in order and once; commands are answered or told lost, once
// and in order, and no more are told lost than the server says.
func TestKills(t *testing.T) {
	const workers, clients = 10, 200
	for _, test := range []struct {
		name    string
		request func(client, n int) (line, reply string)
		flags   []string
	}{
		{"redelivered", echoed, nil},
		{"redelivered, 1 ms", echoed, []string{"-delay", "1ms"}},
		{"reported", func(client, _ int) (string, string) { return "/id", "" }, nil},
		{"reported, 1 ms", func(int, int) (string, string) { return "/sleep 1", "slept" }, nil},
	} {
		for _, depth := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s, %d at a time", test.name, depth), func(t *testing.T) {
				p := start(t, append(test.flags, "-workers", fmt.Sprint(workers))...)
				k := newKiller(p, workers)
				l := &load{request: test.request, depth: depth}
				l.begin(t, p, clients)
				var longest time.Duration
				for killed := 0; killed < *kills; {
					n := 1 + killed%3%2 // two at once, every other time
					longest = max(longest, k.kill(t, n))
					killed += n
				}
				l.end(t)
				r := stats(t, p)
				t.Logf("%d kills: %v; %d sent again, %d elsewhere; longest time to a new worker %v",
					*kills, l, r.Again, r.Resent, longest)
				k.check(t, l, r)
			})
		}
	}
}

// check checks what the server says at the end of a load.
func (k *killer) check(t *testing.T, l *load, r *report) {
	t.Helper()
	if l.lost.Load() > r.Lost || r.Broken != 0 || r.Unanswered > 1 { // which is /stats itself
		t.Errorf("%v; the server has lost %d, and %d are unanswered; %d broken lanes", l, r.Lost, r.Unanswered, r.Broken)
	}
	if l.answered.Load() == 0 {
		t.Error("nobody was answered")
	}
	var complaints []string
	for _, line := range k.p.Stop(t) {
		if !strings.Contains(line, "killed") && !strings.Contains(line, "waiting") {
			complaints = append(complaints, line)
		}
	}
	if complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// Workers are killed while they are replaced.
func TestKillsDuringReloads(t *testing.T) {
	const workers = 6
	p := start(t, "-workers", fmt.Sprint(workers), "-delay", "100us")
	k := newKiller(p, workers)
	l := &load{request: echoed, depth: 4}
	l.begin(t, p, 50)
	for range *reloads {
		p.Signal(t, syscall.SIGHUP)
		k.kill(t, 2)
		p.Said(t, "level=", "reload") // or that it could not be done, as the new one was killed
	}
	l.end(t)
	k.check(t, l, stats(t, p))
}

// A task worker is killed with tasks in flight: those who asked for them are told, or
// get what they asked for.
func TestKillTaskWorkers(t *testing.T) {
	p := start(t, "-workers", "4", "-tasks", "2")
	l := &load{depth: 4, request: func(client, n int) (string, string) {
		return fmt.Sprintf("/task text %d of client %d", n, client), fmt.Sprintf("TEXT %d OF CLIENT %d", n, client)
	}}
	l.begin(t, p, 50)
	for range *kills {
		before := stats(t, p).Tasks
		if pid := before.PIDs[rand.IntN(2)]; pid != 0 {
			_ = syscall.Kill(int(pid), syscall.SIGKILL) // or it is gone
		}
		for stats(t, p).Tasks.Answered < before.Answered+100 {
			continue
		}
	}
	l.end(t)
	r := stats(t, p)
	if l.lost.Load() != r.Tasks.Lost || r.Tasks.Submitted != r.Tasks.Answered+r.Tasks.Lost || r.Lost != 0 {
		t.Errorf("%v; the server says %+v, and %d requests lost", l, r.Tasks, r.Lost)
	}
	t.Logf("%d kills: %v", *kills, l)
}

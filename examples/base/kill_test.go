//go:build linux

package main

import (
	"flag"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/echotest"
)

// The long form of the tests is the same with larger numbers.
var (
	kills   = flag.Int("kills", 50, "how many workers TestKilledWorkers kills")          //nolint:gochecknoglobals // a flag
	reloads = flag.Int("reloads", 5, "how often TestReloadUnderLoad reloads")            //nolint:gochecknoglobals // a flag
	runtime = flag.Duration("runtime", 3*echotest.Patience, "how long a server may run") //nolint:gochecknoglobals // a flag
)

// regain is the time after which a slot has one more immediate restart.
const regain = 2 * time.Second

// A worker that is killed costs the connections that it had, and no others: as many
// break as the server says were lost, each with one line that was on its way at most,
// and nobody is refused.
func TestKilledWorkers(t *testing.T) {
	const workers = 10
	p := start(t, "-workers", "10")
	l := &load{addr: p.Addr, pause: time.Millisecond}
	l.begin(20)
	var longest time.Duration
	last := make([]time.Time, workers) // when that slot's worker was killed
	for i := range *kills {
		slot := i % workers
		if i >= 5*workers { // or it will wait
			time.Sleep(time.Until(last[slot].Add(regain + regain/10)))
		}
		pid := settled(t, p).PIDs[slot]
		last[slot] = time.Now()
		if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for r := settled(t, p); r.PIDs[slot] == pid || r.PIDs[slot] == 0; r = settled(t, p) {
			if time.Since(last[slot]) > echotest.Patience {
				t.Fatalf("after %d kills: nobody new in slot %d: %v", i+1, slot, r.PIDs)
			}
		}
		longest = max(longest, time.Since(last[slot]))
	}
	l.end()
	r := settled(t, p)
	t.Logf("%d kills: %v; %d lost; the longest time to a new worker: %v", *kills, l, r.Lost, longest)
	if l.refused.Load() != 0 || l.wrong.Load() != 0 {
		t.Errorf("%v; want none refused, and none wrong", l)
	}
	if unanswered := l.sent.Load() - l.answered.Load(); unanswered > l.broken.Load() {
		t.Errorf("%d lines unanswered on %d connections that broke", unanswered, l.broken.Load())
	}
	if l.broken.Load() > r.Lost {
		t.Errorf("%d connections broke, and %d were lost", l.broken.Load(), r.Lost)
	}
	if r.Requests > 0 && l.answered.Load() == 0 {
		t.Error("nobody was answered")
	}
}

// settled returns what /stats says when every worker that there is has answered it,
// however often the one that is asked dies.
func settled(tb testing.TB, p *echotest.Process) (r echo.Report) {
	tb.Helper()
	deadline := time.Now().Add(echotest.Patience)
	for time.Now().Before(deadline) {
		if r, ok := p.TryReport(); ok {
			return r
		}
	}
	tb.Fatal("nobody answers /stats")
	return r
}

// Reloads under load: nobody is refused, nothing is lost, and nothing answered twice.
// Every worker is another one after each of them.
func TestReloadUnderLoad(t *testing.T) {
	p := start(t, "-workers", "3")
	l := &load{addr: p.Addr, pause: 200 * time.Microsecond}
	l.begin(20)
	before := settled(t, p).PIDs
	for i := range *reloads {
		p.Signal(t, syscall.SIGHUP)
		p.Said(t, "level=INFO", "reloaded", "group=worker")
		after := settled(t, p).PIDs
		for slot := range after {
			if slices.Contains(before, after[slot]) {
				t.Errorf("reload %d: worker %d is still process %d", i+1, slot, after[slot])
			}
		}
		before = after
	}
	l.end()
	r := settled(t, p)
	t.Logf("%d reloads: %v; %d lost, %d cut", *reloads, l, r.Lost, r.Cut)
	if l.refused.Load()+l.broken.Load()+l.wrong.Load()+r.Lost != 0 || l.sent.Load() != l.answered.Load() {
		t.Errorf("%v; %d lost; want everything answered", l, r.Lost)
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

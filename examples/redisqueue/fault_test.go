//go:build linux

package main

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
)

// A worker is stopped for longer than the idle time. Another one gets what it had in
// hand. When it goes on it does that, too, and what it acknowledges then does no harm.
func TestStopped(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.idle = 500 * ms
	c := newCrew(t, b, obedient)
	ids := b.submit(t, append(numbered(100), "stop now")...)
	stopped := ids[100]
	b.awaitEmpty(t)
	all, _ := b.results(t)
	if d := all[stopped]; len(d) == 0 || slices.Contains(d, 1) {
		t.Errorf("results of deliveries %d while the worker is stopped, want one of the second", d)
	}
	for _, pid := range c.serving() {
		must(t, unix.Kill(pid, unix.SIGCONT))
	}
	await(t, "the worker goes on", func() bool {
		all, _ = b.results(t)
		return slices.Contains(all[stopped], 1)
	})
	ids = append(ids, b.submit(t, numbered(100)...)...)
	b.awaitEmpty(t)
	all, duplicates := b.results(t)
	for _, id := range ids {
		if len(all[id]) == 0 {
			t.Errorf("message %s has no result", id)
		}
	}
	t.Logf("%d duplicates", duplicates)
	if dead := b.dead(t); len(dead) > 0 {
		t.Errorf("dead: %v", dead)
	}
	c.stop(t)
	c.check(t)
	if n := c.Counters().Failures; n != 0 {
		t.Errorf("%d workers have failed", n)
	}
}

// The server is killed under load, and started again. The workers end, and come back,
// and nothing is lost that the server had taken.
func TestServerDies(t *testing.T) {
	const messages, deaths = 1500, 2
	leaktest.Check(t)
	b := newBroker(t, "--appendonly", "yes", "--appendfsync", "always")
	c := newCrew(t, b, workers)
	ids := b.submit(t, numbered(messages)...)
	for i := range int64(deaths) {
		await(t, "there are more results", func() bool { return b.length(b.o.results()) >= (i+1)*messages/(deaths+1) })
		before := c.Counters().Exits
		b.kill(t)
		await(t, "every worker has noticed", func() bool { return c.Counters().Exits >= before+int64(b.o.workers) })
		b.start(t)
	}
	b.awaitEmpty(t)
	duplicates, again := b.account(t, ids)
	t.Logf("%d redeliveries, %d duplicates; %d workers have ended", again, duplicates, c.Counters().Failures)
	if most := deaths * b.o.workers; duplicates > most {
		t.Errorf("%d duplicates, want %d at most", duplicates, most)
	}
	c.stop(t)
	c.check(t)
}

//go:build linux

package main

import (
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
)

// Workers are killed under load. Each message has a result, and those that have more
// were in hand when a worker was killed.
func TestKills(t *testing.T) {
	const messages, kills = 2000, 20
	leaktest.Check(t)
	b := newBroker(t)
	c := newCrew(t, b, workers)
	ids := b.submit(t, numbered(messages)...)
	for i := range int64(kills) {
		await(t, "there are more results", func() bool { return b.length(b.o.results()) >= (i+1)*messages/(kills+1) })
		var pids []int
		await(t, "a worker is ready", func() bool { pids = c.serving(); return len(pids) > 0 })
		must(t, unix.Kill(pids[rand.IntN(len(pids))], unix.SIGKILL))
	}
	left := b.length(b.o.stream)
	b.awaitEmpty(t)
	duplicates, again := b.account(t, ids)
	t.Logf("%d messages were left after the last of %d kills; %d redeliveries, %d duplicates", left, kills, again, duplicates)
	if duplicates > kills || again > kills {
		t.Errorf("%d kills have come to %d redeliveries and %d duplicates", kills, again, duplicates)
	}
	if dead := b.dead(t); len(dead) > 0 {
		t.Errorf("dead: %v", dead)
	}
	c.stop(t)
	c.check(t)
}

// account checks that each message has a result, and that results of one message are of
// different deliveries. It returns how many results were too many, and how many messages
// were delivered again, at least.
func (b *broker) account(t *testing.T, ids []string) (duplicates int, again int64) {
	t.Helper()
	all, duplicates := b.results(t)
	if len(all) != len(ids) {
		t.Errorf("%d messages have a result, of %d", len(all), len(ids))
	}
	for _, id := range ids {
		deliveries := all[id]
		if len(deliveries) == 0 {
			t.Errorf("message %s has no result", id)
			continue
		}
		if !slices.IsSorted(deliveries) || len(slices.Compact(slices.Clone(deliveries))) != len(deliveries) {
			t.Errorf("message %s has results of its deliveries %d", id, deliveries)
		}
		again += deliveries[len(deliveries)-1] - 1
	}
	return duplicates, again
}

//go:build linux

package main

import (
	"testing"

	"github.com/plait-go/plait/uds/leaktest"
)

// A message that kills its worker, and one that comes to an error, are tried as often as
// they may be, and put aside then, once. All others have a result.
func TestPoison(t *testing.T) {
	const deliveries = 3
	leaktest.Check(t)
	b := newBroker(t)
	b.o.deliveries = deliveries
	c := newCrew(t, b, obedient)
	ids := b.submit(t, numbered(50)...)
	poison := b.submit(t, "die now", "fail now")
	ids = append(ids, b.submit(t, numbered(50)...)...)
	b.awaitEmpty(t)
	if duplicates, again := b.account(t, ids); duplicates != 0 || again != 0 {
		t.Errorf("%d redeliveries and %d duplicates, want none: each worker had nothing but the poison in hand", again, duplicates)
	}
	dead := make(map[string]string)
	for _, m := range b.dead(t) {
		source := m.Values["source"].(string)
		if dead[source] != "" || m.Values["deliveries"] != "4" {
			t.Errorf("dead: %v, want each once, of its delivery 4", m.Values)
		}
		dead[source] = m.Values[payloadField].(string)
	}
	if len(dead) != 2 || dead[poison[0]] != "die now" || dead[poison[1]] != "fail now" {
		t.Errorf("dead: %q, want the two of %q", dead, poison)
	}
	c.stop(t)
	c.check(t)
	if n := c.Counters().Failures; n != 2*deliveries {
		t.Errorf("%d workers have failed, want %d for each poison", n, deliveries)
	}
}

// A server that has written down what it was told still knows of all deliveries when it
// is started again.
func TestDeliveriesSurvive(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t, "--appendonly", "yes", "--appendfsync", "always")
	b.submit(t, "one")
	for i := range int64(4) {
		next(t, b.source(t, "a"), "one", i+1)
	}
	b.kill(t)
	b.start(t)
	next(t, b.source(t, "a"), "one", 5)
}

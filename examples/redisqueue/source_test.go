//go:build linux

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/plait-go/plait/uds/leaktest"
)

// next checks what Next returns.
func next(t *testing.T, s *Source, want string, deliveries int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := s.Next(ctx)
	if string(got) != want || err != nil || s.Deliveries() != deliveries {
		t.Fatalf("Next = %q, %v, of %d deliveries; want %q of %d", got, err, s.Deliveries(), want, deliveries)
	}
}

// When ctx has ended nothing is taken, and nothing acknowledged.
func TestNextEnded(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	s := b.source(t, "a")
	b.submit(t, "one", "two")
	next(t, s, "one", 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if got, err := s.Next(ctx); got != nil || err != cause {
		t.Errorf("Next = %q, %v; want %v", got, err, cause)
	}
	if n := b.pending(t); n != 1 {
		t.Errorf("%d messages are pending, want the first one", n)
	}
	must(t, s.Acknowledge(t.Context()))
	must(t, s.Acknowledge(t.Context())) // nothing to be done
	if p, n := b.pending(t), b.length(b.o.stream); p != 0 || n != 1 || s.Late() != 0 {
		t.Errorf("%d messages are pending and %d in the stream, %d late; want 0, 1, 0", p, n, s.Late())
	}
	next(t, s, "two", 1)
}

// A wait ends with ctx, and the Source can go on.
func TestNextWaits(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.idle = time.Hour
	s := b.source(t, "a")
	for range 20 {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		done := make(chan error)
		go func() { // ends with the wait
			got, err := s.Next(ctx)
			if got != nil {
				t.Errorf("Next = %q, want none", got)
			}
			done <- err
		}()
		await(t, "the wait has begun", func() bool { return b.blocked(t) == 1 })
		cancel(cause)
		if err := <-done; err != cause {
			t.Errorf("Next: %v, want %v", err, cause)
		}
	}
	b.submit(t, "one")
	next(t, s, "one", 1)
}

// A ctx that ends at any time has no message delivered that Next does not return.
func TestNextRaces(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.idle = time.Hour
	s := b.source(t, "a")
	const messages = 200
	got := 0
	for range messages {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		b.submit(t, "one")
		switch p, err := s.Next(ctx); {
		case err == nil && string(p) == "one" && s.Deliveries() == 1:
			got++
		case err != context.Canceled:
			t.Fatalf("Next = %q, %v, of %d deliveries", p, err, s.Deliveries())
		}
	}
	for ; got < messages; got++ {
		next(t, s, "one", 1)
	}
	must(t, s.Acknowledge(t.Context()))
	b.awaitEmpty(t)
}

// The successor of a consumer has its messages at once, and nobody else has.
func TestSuccessor(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.submit(t, "one", "two", "three")
	next(t, b.source(t, "a"), "one", 1)
	next(t, b.source(t, "b"), "two", 1)
	s := b.source(t, "a")
	next(t, s, "one", 2)
	next(t, s, "three", 1)
	next(t, b.source(t, "b"), "two", 2)
}

// A message is claimed from a consumer that is silent, and acknowledged by both, in
// either order.
func TestClaim(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.idle = time.Hour
	a := b.source(t, "a")
	b.o.idle = ms
	c := b.source(t, "c")
	for i, order := range [][]*Source{{c, a}, {a, c}} {
		b.submit(t, "one")
		next(t, a, "one", 1)
		next(t, c, "one", 2)
		for _, s := range order {
			must(t, s.Acknowledge(t.Context()))
		}
		b.awaitEmpty(t)
		if late := a.Late() + c.Late(); late != i+1 || order[1].Late() != 1 {
			t.Errorf("%d late, want %d, and one of them the last who acknowledged", late, i+1)
		}
	}
}

// What cannot be handled goes to the dead stream; if that cannot be written it stays.
func TestDead(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	b.o.deliveries = 2
	must(t, b.client.XAdd(t.Context(), &redis.XAddArgs{Stream: b.o.stream, Values: []string{"some", "dirt"}}).Err())
	b.submit(t, "one", "two", "gone")
	must(t, b.client.Set(t.Context(), b.o.queue().Dead, "no stream", 0).Err())
	for range 4 { // however often it is tried
		got, err := b.source(t, "a").Next(t.Context())
		if got != nil || err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
			t.Errorf("Next = %q, %v; want WRONGTYPE", got, err)
		}
		if p, n := b.pending(t), b.length(b.o.stream); p != 1 || n != 4 {
			t.Errorf("%d messages are pending, %d in the stream; want 1 and 4", p, n)
		}
	}
	must(t, b.client.Del(t.Context(), b.o.queue().Dead).Err())
	next(t, b.source(t, "a"), "one", 1)
	next(t, b.source(t, "a"), "one", 2)
	s := b.source(t, "a")
	next(t, s, "two", 1)
	next(t, s, "gone", 1)
	must(t, b.client.XDel(t.Context(), b.o.stream, s.ID()).Err())
	b.submit(t, "three")
	s = b.source(t, "a")
	next(t, s, "three", 1)
	must(t, s.Acknowledge(t.Context()))
	b.awaitEmpty(t)
	if dead := b.dead(t); len(dead) != 2 || dead[0].Values["some"] != "dirt" || dead[1].Values[payloadField] != "one" {
		t.Errorf("dead: %v; want some dirt, and one", dead)
	}
}

// Without a server there is an error that says what was tried, and what was wrong.
func TestNoServer(t *testing.T) {
	leaktest.Check(t)
	b := newBroker(t)
	s := b.source(t, "a")
	done := make(chan error)
	go func() { // ends with the server
		_, err := s.Next(t.Context())
		done <- err
	}()
	await(t, "the wait has begun", func() bool { return b.blocked(t) == 1 })
	b.kill(t)
	if err := <-done; err == nil || !strings.HasPrefix(err.Error(), "redisqueue: XREADGROUP tasks: ") {
		t.Errorf("Next: %v, want an error about XREADGROUP", err)
	}
	_, err := Open(t.Context(), b.client, b.o.queue(), "a")
	if err == nil || !strings.HasPrefix(err.Error(), "redisqueue: XGROUP CREATE tasks workers: ") {
		t.Errorf("Open: %v, want an error about XGROUP", err)
	}
	b.start(t) // for the end of the test
}

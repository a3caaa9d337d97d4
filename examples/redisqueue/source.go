//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// payloadField is the field of a message that is for its handler.
const payloadField = "payload"

// A Queue describes a stream whose consumers carry out tasks, each task once unless
// somebody dies.
type Queue struct {
	Stream     string        // where the messages are
	Dead       string        // where those go that nobody should try any more
	Group      string        // of the consumers; the only one that reads the stream
	Idle       time.Duration // how long a message may be with a silent consumer; more than 0
	Deliveries int64         // how often a message is delivered at most
}

// A Source is a consumer of a Queue, for procpool.Worker.Consume. It belongs to one
// goroutine.
type Source struct {
	q        Queue
	client   *redis.Client
	conn     *redis.Conn // that waits for messages
	id       int64       // of conn, by which the server is told to end the wait
	consumer string

	inherited bool      // there may be messages that a predecessor has left
	sweep     time.Time // when to look for messages of silent consumers
	cursor    string    // of the sweep

	held       string // ID of the message that is to be acknowledged
	deliveries int64  // of it
	late       int
}

// Open returns the consumer of a name, which goes on where the last one of that name
// has stopped. It makes the stream and the group if they are not there. There must be
// one consumer of a name at a time. It does not retain q. The client is the caller's,
// who closes it when the Source is used no more.
func Open(ctx context.Context, client *redis.Client, q *Queue, consumer string) (*Source, error) {
	err := client.XGroupCreateMkStream(ctx, q.Stream, q.Group, "0").Err()
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		return nil, fmt.Errorf("redisqueue: XGROUP CREATE %s %s: %w", q.Stream, q.Group, err)
	}
	s := &Source{q: *q, client: client, conn: client.Conn(), consumer: consumer, inherited: true, cursor: "0-0"}
	if s.id, err = s.conn.ClientID(ctx).Result(); err != nil {
		return nil, fmt.Errorf("redisqueue: CLIENT ID: %w", err)
	}
	return s, nil
}

// ID returns the ID of the message that Next has returned last, until it is
// acknowledged.
func (s *Source) ID() string { return s.held }

// Deliveries returns how often that message was delivered, this time included. If it
// is more than 1, somebody may have handled it, or a part of it, before.
func (s *Source) Deliveries() int64 { return s.deliveries }

// Late returns how many messages somebody else had acknowledged when this consumer
// did, for it was silent for longer than Idle. They were handled twice.
func (s *Source) Late() int { return s.late }

// Next acknowledges the message that it has returned last, so that this is not
// delivered any more, and returns the payload of the next one, which is the caller's.
// First come messages that a predecessor of the same name did not acknowledge, then
// those of consumers that were silent for Idle, then new ones.
//
// It waits for one until ctx ends, and returns context.Cause(ctx) then. When ctx has
// ended before the call it does nothing else. Other errors are those of the server,
// or of the connection to it: the message is not acknowledged, or might not be, and
// the Source should be used no more.
//
// Messages that were delivered too often, and those without a payload, go to Dead.
func (s *Source) Next(ctx context.Context) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	payload, err := s.next(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // what else went wrong does not matter any more
	}
	return payload, err
}

func (s *Source) next(ctx context.Context) ([]byte, error) {
	if err := s.Acknowledge(ctx); err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		m, again, err := s.receive(ctx)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		payload, ok := m.Values[payloadField].(string)
		deliveries := int64(1)
		if again || !ok {
			// Delivered is delivered, also if ctx has ended since.
			if deliveries, err = s.admit(context.WithoutCancel(ctx), m.ID, ok); err != nil {
				return nil, err
			}
		}
		if deliveries > 0 {
			s.held, s.deliveries = m.ID, deliveries
			return []byte(payload), nil
		}
	}
	return nil, context.Cause(ctx)
}

// Acknowledge says that the message is done that Next has returned last, and deletes
// it from the stream: what is left there is what is left to do. It is for the end;
// else Next does it. Without such a message, or a second time, it does nothing.
func (s *Source) Acknowledge(ctx context.Context) error {
	if s.held == "" {
		return nil
	}
	var acknowledged *redis.IntCmd
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		acknowledged = p.XAck(ctx, s.q.Stream, s.q.Group, s.held)
		p.XDel(ctx, s.q.Stream, s.held)
		return nil
	})
	if err != nil {
		return fmt.Errorf("redisqueue: XACK %s %s: %w", s.q.Stream, s.held, err)
	}
	if acknowledged.Val() == 0 {
		s.late++
	}
	s.held = ""
	return nil
}

// receive returns a message, and whether it was delivered before; or none, if there is
// none for now.
func (s *Source) receive(ctx context.Context) (m *redis.XMessage, again bool, err error) {
	if s.inherited {
		m, err = s.read(ctx, "0", -1)
		if m != nil || err != nil {
			return m, true, err
		}
		s.inherited = false
	}
	if !time.Now().Before(s.sweep) {
		if m, err = s.claim(ctx); m != nil || err != nil {
			return m, true, err
		}
	}
	m, err = s.wait(ctx, max(time.Until(s.sweep), time.Millisecond)) // 0 would be for ever
	return m, false, err
}

// claim takes a message over from a consumer that was silent for Idle. If there is
// none it sets the time to look again.
func (s *Source) claim(ctx context.Context) (*redis.XMessage, error) {
	for {
		found, cursor, err := s.client.XAutoClaim(ctx, &redis.XAutoClaimArgs{
			Stream: s.q.Stream, Group: s.q.Group, Consumer: s.consumer, MinIdle: s.q.Idle, Start: s.cursor, Count: 1,
		}).Result()
		if err != nil {
			return nil, fmt.Errorf("redisqueue: XAUTOCLAIM %s: %w", s.q.Stream, err)
		}
		s.cursor = cursor
		if len(found) > 0 {
			return &found[0], nil
		}
		if cursor == "0-0" {
			s.sweep = time.Now().Add(s.q.Idle / 2)
			return nil, nil
		}
	}
}

// wait waits for a new message, until ctx ends or the time is up.
func (s *Source) wait(ctx context.Context, block time.Duration) (*redis.XMessage, error) {
	done := make(chan struct{})
	defer close(done)
	defer context.AfterFunc(ctx, func() { s.unblock(done) })() // ends with the wait
	return s.read(context.WithoutCancel(ctx), ">", block)
}

// unblock ends the wait, as if its time were up: a message is either delivered, and
// Next returns it, or not at all. The client cannot end it itself without losing the
// connection. It says so more than once, for the wait may have yet to begin.
func (s *Source) unblock(done <-chan struct{}) {
	for {
		_ = s.client.ClientUnblock(context.Background(), s.id).Err() // the wait fails, too, or time ends it
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// read returns the first message after an ID of those that are with this consumer, or
// a new one for ">"; or none. It waits for that if block is not less than 0.
func (s *Source) read(ctx context.Context, after string, block time.Duration) (*redis.XMessage, error) {
	streams, err := s.conn.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: s.q.Group, Consumer: s.consumer, Streams: []string{s.q.Stream, after}, Count: 1, Block: block,
	}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("redisqueue: XREADGROUP %s: %w", s.q.Stream, err)
	case len(streams) == 0 || len(streams[0].Messages) == 0:
		return nil, nil
	}
	return &streams[0].Messages[0], nil
}

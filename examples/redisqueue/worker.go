//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/plait-go/plait/procpool"
)

// work is the role of a worker.
func work(ctx context.Context, w *procpool.Worker) error { return consume(ctx, w, upper) }

// A handler carries out the task of a message that a Source has returned. If it fails
// the worker ends, and the message is delivered again.
type handler func(ctx context.Context, t *task) error

// A task is a message, and what belongs to it.
type task struct {
	message []byte
	source  *Source
	client  *redis.Client
	results string // a stream
	slot    int    // of the worker
}

// consume has handle carry out the tasks of the queue, until the worker is to go.
func consume(ctx context.Context, w *procpool.Worker, handle handler) (err error) {
	o, err := parse(w.Args())
	if err != nil {
		return err
	}
	client := redis.NewClient(o.client())
	defer func() { err = errors.Join(err, client.Close()) }()
	s, err := Open(ctx, client, o.queue(), o.name+"-"+strconv.Itoa(w.Slot()))
	if err != nil {
		return err
	}
	if err := w.Ready(); err != nil {
		return err
	}
	err = w.Consume(ctx, s, func(ctx context.Context, message []byte) error {
		return handle(ctx, &task{message, s, client, o.results(), w.Slot()})
	})
	if err != nil {
		return err // what is in hand is left to the successor
	}
	return s.Acknowledge(context.WithoutCancel(ctx)) // no Next has come after the last one
}

// upper is the task: the payload in upper case goes to the stream of results.
func upper(ctx context.Context, t *task) error {
	err := t.client.XAdd(ctx, &redis.XAddArgs{Stream: t.results, Values: []any{
		"source", t.source.ID(), "deliveries", t.source.Deliveries(), "slot", t.slot, payloadField, bytes.ToUpper(t.message),
	}}).Err()
	if err != nil {
		return fmt.Errorf("redisqueue: XADD %s: %w", t.results, err)
	}
	return nil
}

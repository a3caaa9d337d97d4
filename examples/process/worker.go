//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/procpool/task"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// A worker is a process that answers requests.
type worker struct {
	*procpool.Worker
	config *echo.Config
	delay  time.Duration
	log    *slog.Logger
	master *lane.Client
	tasks  *task.Client // nil if there are no task workers
	heard  atomic.Int64 // messages from other workers
}

// work is the role of a worker.
func work(ctx context.Context, pool *procpool.Worker) error {
	var o options
	code := echo.Main(o.flags(), pool.Args(), "", func(config *echo.Config, log *slog.Logger) error {
		w := &worker{Worker: pool, config: config, delay: o.delay, log: log.With("worker", pool.Slot())}
		return w.serve(ctx)
	})
	if code != 0 {
		return userprocess.Status(code)
	}
	return nil
}

// serve answers requests until the worker is to go.
func (w *worker) serve(ctx context.Context) (err error) {
	words, err := w.Words(manage.Workers, w.Slot())
	if err != nil {
		return err
	}
	words[wordPID].Store(int64(os.Getpid()))
	if w.master, err = w.Client(callLane); err != nil {
		return err
	}
	h := &echo.Handler{
		Codec: w.config.Codec, Commands: w.config.Frame == "eof",
		Report: w.report, Heard: func() int { return int(w.heard.Load()) }, Tell: w.tell, Crash: manage.Crash,
		Send:  func(id uint64, text []byte, done func(error)) { done(w.ask(callSend, appendCall(id, text))) },
		Close: func(id uint64, done func(error)) { done(w.ask(callClose, appendCall(id, nil))) },
	}
	if w.Count(manage.Tasks) > 0 {
		if w.tasks, err = task.NewClient(w.Worker, "", nil); err != nil {
			return err
		}
		h.Task = w.task
	}
	go w.receive(context.WithoutCancel(ctx)) // ends with the process
	if w.delay == 0 {
		return w.Serve(h.Serve)
	}
	return w.Serve(func(r *lane.Request) {
		if !h.IsCommand(w.config.Codec.Payload(r.Payload)) {
			time.Sleep(w.delay)
		}
		h.Serve(r)
	})
}

// ask makes a call to the master.
func (w *worker) ask(tag uint64, payload []byte) error {
	_, err := w.master.Call(context.Background(), tag, payload)
	return err
}

// report asks the master what /stats shows.
func (w *worker) report() (any, error) {
	text, err := w.master.Call(context.Background(), callStats, nil)
	return json.RawMessage(text), err
}

// task has a task worker carry out text.
func (w *worker) task(text string, done func(string, error)) {
	reply, err := w.tasks.Do(context.Background(), []byte(text))
	done(string(reply), err)
}

// tell sends text to a worker, which may be this one.
func (w *worker) tell(number int, text string) error {
	if number >= w.config.Workers {
		return fmt.Errorf("no worker %d, want 0 to %d", number, w.config.Workers-1)
	}
	err := w.TrySend(procpool.Address{Group: manage.Workers, Slot: number}, []byte(text))
	if errors.Is(err, uds.ErrFull) {
		return errors.New("the worker has too many messages waiting")
	}
	return err
}

// receive counts what other workers tell.
func (w *worker) receive(ctx context.Context) {
	for {
		m, err := w.Receive(ctx)
		if err != nil {
			w.log.Error("no more messages", "err", err)
			return
		}
		w.heard.Add(1)
		w.log.Debug("message", "text", string(m.Payload))
	}
}

// carryOut is the role of a task worker.
func carryOut(_ context.Context, pool *procpool.Worker) error {
	return pool.Serve(func(r *lane.Request) { _ = r.Reply(bytes.ToUpper(r.Payload)) }) // the master is gone if that fails
}

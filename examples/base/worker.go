//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// A worker is a process with a loop. Where there is no manager, its pool is nil.
type worker struct {
	*loop.Worker
	started  time.Time // the server
	listener *epoll.Listener
	pool     *procpool.Worker
	asked    map[uint64]question // of other processes, and not answered
	lastAsk  uint64
	looking  bool // after those who were asked
	lastTask int  // the slot that has got the last task
}

// work is the role of a worker.
func work(ctx context.Context, pool *procpool.Worker) error {
	started, err := strconv.ParseInt(pool.Args()[0], 10, 64)
	if err != nil {
		return err
	}
	fd, err := pool.FD("listener")
	if err != nil {
		return err
	}
	code := echo.Main(new(manage.Options).Flags("base"), pool.Args()[1:], "", func(config *echo.Config, log *slog.Logger) error {
		w, err := newWorker(config, log.With("worker", pool.Slot()), fd, pool)
		if err != nil {
			return err
		}
		w.started = time.UnixMilli(started)
		return w.serveInPool(ctx)
	})
	if code != 0 {
		return userprocess.Status(code)
	}
	return nil
}

// newWorker returns a worker that listens on fd.
func newWorker(config *echo.Config, log *slog.Logger, fd int, pool *procpool.Worker) (*worker, error) {
	l, err := epoll.New(nil)
	if err != nil {
		return nil, err
	}
	w := &worker{pool: pool, started: time.Now(), asked: make(map[uint64]question)}
	counts := echo.NewStats(nil)
	if pool != nil {
		words, err := pool.Words(manage.Workers, pool.Slot())
		if err != nil {
			return nil, err
		}
		counts = enter(words, pool.Incarnation()).Stats
	}
	w.Worker = loop.New(config, log, l, counts)
	w.listener, err = l.Listen(fd, loop.Clients(config), &epoll.ListenOptions{
		Paused: func(err error) { log.Error("cannot accept, will go on trying", "err", err) },
	})
	return w, err
}

// alone serves without a manager, until ctx ends.
func alone(ctx context.Context, config *echo.Config, log *slog.Logger, fd int) error {
	w, err := newWorker(config, log, fd, nil)
	if err != nil {
		return err
	}
	h := &w.Handler
	h.Report = func() (any, error) { return config.Report(w.started, []echo.Stats{w.Counts}), nil }
	h.Crash = echo.RefuseCrash
	h.Tell = func(number int, text string) error {
		if number != 0 {
			return fmt.Errorf("no worker %d, want 0 to 0", number)
		}
		w.Hear(text)
		return nil
	}
	h.Send = func(id uint64, text []byte, done func(error)) { done(loop.Send(w.Loop.Conn(id), id, text)) }
	h.Close = func(id uint64, done func(error)) { done(loop.Close(w.Loop.Conn(id), id)) }
	defer context.AfterFunc(ctx, func() {
		_ = w.Loop.Post(w.stop) // or it has failed
		time.AfterFunc(patience, func() { _ = w.Loop.Post(w.Loop.Stop) })
	})()
	fmt.Println("listening on", config.Addr)
	if err := w.Loop.Run(context.Background()); err != nil {
		return err
	}
	log.Info("stopped", "requests", w.Counts.Requests.Load())
	return nil
}

// patience is for the whole stop of a server that is one process.
const patience = 5 * time.Second

// serveInPool serves as one of several, until its manager wants it to go.
func (w *worker) serveInPool(ctx context.Context) error {
	h := &w.Handler
	w.Number, h.Report, h.Crash, h.Tell, h.Send, h.Close = w.number, w.report, manage.Crash, w.tell, w.send, w.close
	if w.pool.Count(manage.Tasks) > 0 {
		h.Task = w.task
	}
	go w.receive() // ends with the process
	defer context.AfterFunc(ctx, func() {
		_ = w.Loop.Post(func() { w.leave(context.Cause(ctx)) }) // or it has failed
	})()
	go func() { // ends with the process
		<-w.pool.Cut()
		_ = w.Loop.Post(w.cut) // as above
	}()
	if err := w.pool.Ready(); err != nil {
		return err
	}
	return w.Loop.Run(context.Background())
}

// leave accepts nobody any more, and ends with the last connection: those of a worker
// that is replaced go on for a while.
func (w *worker) leave(cause error) {
	if !errors.Is(cause, procpool.ErrReplaced) {
		w.stop()
		return
	}
	_ = w.listener.Close() // it is open
	w.Loop.Drain(nil)
}

// stop accepts nobody any more, and ends soon.
func (w *worker) stop() {
	_ = w.listener.Close() // it is open
	w.Stop()
}

// cut ends the connections that have not ended in time.
func (w *worker) cut() {
	w.Counts.Cut.Add(int64(w.Loop.Len()))
	w.Finish()
}

// Clients know a connection by a number that tells everybody whose it is:
//
//	63            32 31          10 9      0
//	+---------------+--------------+--------+
//	| ID in its loop | incarnation | slot   |
//	+---------------+--------------+--------+

// number returns the number of a connection of this worker.
func (w *worker) number(id uint64) uint64 {
	return id<<32 | uint64(w.pool.Incarnation())&(1<<22-1)<<10 | uint64(w.pool.Slot())
}

// owner returns whose connection that is.
func owner(number uint64) procpool.Address {
	return procpool.Address{Group: manage.Workers, Slot: int(number & (1<<10 - 1)), Incarnation: int(number >> 10 & (1<<22 - 1))}
}

// conn returns the connection with a number of this worker, or nil.
func (w *worker) conn(number uint64) *epoll.Conn { return w.Loop.Conn(number >> 32) }

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// A manager keeps the workers running.
type manager struct {
	config   *echo.Config
	log      *slog.Logger
	listener *os.File // which the workers have, too
	pool     *procpool.Pool
	ready    map[int]bool // slots of workers that have been, until all have
}

// newManager returns a manager of workers that listen on fd, which it owns.
func newManager(config *echo.Config, log *slog.Logger, o *options, fd int) (m *manager, err error) {
	m = &manager{config: config, log: log, listener: os.NewFile(uintptr(fd), "listener"), ready: make(map[int]bool)}
	args := []string{
		strconv.FormatInt(time.Now().UnixMilli(), 10), "-addr", config.Addr, "-frame", config.Frame,
		"-max", strconv.Itoa(config.Max), "-workers", strconv.Itoa(config.Workers),
	}
	groups := []*procpool.Group{{
		Name: workers, Count: config.Workers, Drain: o.drain, Grace: o.grace,
		Command: userprocess.Command{Role: "worker", Args: args, Files: map[string]syscall.Conn{"listener": m.listener}},
	}}
	if o.tasks > 0 {
		groups = append(groups, &procpool.Group{
			Name: tasks, Count: o.tasks, Drain: o.drain, Grace: o.grace,
			Command: userprocess.Command{Role: "task", Args: args},
		})
	}
	m.pool, err = procpool.New(groups, &procpool.Options{Event: m.event, Words: slotWords})
	return m, err
}

// run runs the pool until ctx has ended.
func (m *manager) run(ctx context.Context) error {
	err := m.pool.Run(ctx)
	if err == nil {
		m.log.Info("stopped", "restarts", m.pool.Counters().Restarts)
	}
	return err
}

// close leaves the listener to the workers that there are: it is gone with the last.
func (m *manager) close() { _ = m.listener.Close() }

// reload replaces the workers, or the task workers. It does not wait for that.
func (m *manager) reload(sig os.Signal) {
	group := workers
	if sig == syscall.SIGUSR2 {
		group = tasks
	}
	go func() { // ends with the reload
		begun := time.Now()
		if err := m.pool.Reload(context.Background(), group); err != nil {
			m.log.Error("cannot reload", "err", err)
			return
		}
		m.log.Info("reloaded", "group", group, "took", time.Since(begun).Round(time.Millisecond))
	}()
}

// event notes what happens to the workers.
func (m *manager) event(e procpool.Event) {
	switch e.Kind {
	case procpool.Ready:
		m.isReady(e)
	case procpool.Exited:
		m.exited(e)
	case procpool.StartFailed, procpool.Waiting, procpool.Killed:
		m.log.Warn(e.String())
	default:
		m.log.Debug(e.String())
	}
}

// isReady says so once all workers are ready.
func (m *manager) isReady(e procpool.Event) {
	if m.ready == nil || e.Group != workers {
		return
	}
	if m.ready[e.Slot] = true; len(m.ready) == m.config.Workers {
		m.ready = nil
		fmt.Println("listening on", m.config.Addr)
	}
}

// exited notes that a process is gone, for those who wait for it, and its connections
// with it.
func (m *manager) exited(e procpool.Event) {
	if !e.Expected {
		m.log.Error(e.String())
	}
	words, err := m.pool.Words(e.Group, e.Slot)
	if err != nil {
		if !errors.Is(err, procpool.ErrNotRunning) {
			m.log.Error("no counters", "err", err)
		}
		return
	}
	leave(words, e.Incarnation)
}

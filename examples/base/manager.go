//go:build linux

package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
)

// A manager keeps the workers running.
type manager struct {
	events   manage.Events
	log      *slog.Logger
	listener *os.File // which the workers have, too
	pool     *procpool.Pool
}

// newManager returns a manager of workers that listen on fd, which it owns.
func newManager(config *echo.Config, log *slog.Logger, o *manage.Options, fd int) (m *manager, err error) {
	m = &manager{events: manage.Events{Config: config, Log: log}, log: log, listener: os.NewFile(uintptr(fd), "listener")}
	args := append([]string{strconv.FormatInt(time.Now().UnixMilli(), 10)}, manage.Args(config)...)
	groups := o.Groups(config, args, map[string]syscall.Conn{"listener": m.listener})
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

// reload replaces the workers, or the task workers.
func (m *manager) reload(sig os.Signal) { manage.Reload(m.pool, m.log, sig) }

// event notes what happens to the workers: that a process is gone, for those who wait
// for it, and its connections with it.
func (m *manager) event(e procpool.Event) {
	m.events.Event(e)
	if e.Kind != procpool.Exited {
		return
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

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/task"
	"github.com/plait-go/plait/userprocess"
)

// A master has the connections and the workers.
type master struct {
	config   *echo.Config
	log      *slog.Logger
	started  time.Time
	events   manage.Events
	dispatch string // as -dispatch says
	policy   dispatch.Policy
	loops    *loop.Loops
	reactors []*reactor // of the loops
	pool     *procpool.Pool
	calls    *dispatch.Serial // rounds in which calls of workers are taken
	tasks    *task.Queue      // nil if there are no task workers
	ctx      context.Context  // of the workers
	release  func()           // ends it
}

// newMaster returns a master that neither listens nor runs.
func newMaster(config *echo.Config, log *slog.Logger, o *options, policy dispatch.Policy) (*master, error) {
	m := &master{config: config, log: log, started: time.Now(), dispatch: o.dispatch, policy: policy, calls: dispatch.NewSerial()}
	m.events = manage.Events{Config: config, Log: log}
	m.ctx, m.release = context.WithCancel(context.Background())
	groups := o.Groups(config, append(manage.Args(config), "-delay", o.delay.String()), nil)
	if o.watch {
		groups = append(groups, &procpool.Group{Name: watchers, Command: userprocess.Command{Role: watchers}})
	}
	var err error
	if m.pool, err = procpool.New(groups, &procpool.Options{Event: m.events.Event, Words: slotWords}); err != nil {
		return nil, err
	}
	if m.loops, err = loop.NewLoops(o.reactors, &epoll.Options{Waiting: epoll.Block}); err != nil {
		return nil, err
	}
	for _, l := range m.loops.Loops() {
		r, err := newReactor(m, l)
		if err != nil {
			return nil, err
		}
		m.reactors = append(m.reactors, r)
	}
	_, err = m.pool.Dispatcher(manage.Workers, callLane, m.calls, &dispatch.Options{
		Called: m.called, Answered: func(dispatch.Answer) {}, // there are no requests
	})
	if err == nil && o.Tasks > 0 {
		if m.tasks, err = task.New(m.pool, manage.Tasks, nil); err == nil {
			err = m.tasks.Accept(m.pool, manage.Workers)
		}
	}
	return m, err
}

// patience is for the connections when the server stops.
const patience = 5 * time.Second

// run runs the loops and the workers until stop, and returns when all have ended.
func (m *master) run() error {
	ended := make(chan error, 1)
	go func() { // ends with the loops
		ended <- m.loops.Run()
		m.release()
	}()
	if err := m.pool.Run(m.ctx); err != nil {
		return err
	}
	m.loops.Stop()
	err := <-ended
	if err == nil {
		m.log.Info("stopped", "requests", m.report().Requests, "restarts", m.pool.Counters().Restarts)
	}
	return err
}

// stop has the workers end when the last connection has: they are needed until then.
func (m *master) stop() {
	m.loops.Shut(func(l *epoll.Loop) { l.State.(*reactor).stop() })
	go func() { // ends with the last connection, or when patience does
		late := time.After(patience)
		for _, r := range m.reactors {
			select {
			case <-r.idle:
			case <-late:
				m.log.Warn("stopped, and cut connections that would not end", "connections", m.loops.Len())
				m.release()
				return
			}
		}
		m.release()
	}()
}

// kill has all end at once.
func (m *master) kill(os.Signal) {
	m.pool.Kill()
	m.release()
}

// The calls of workers, on lanes of this name.
const callLane = "master"

const (
	callSend  = iota + 1 // write what follows the number of a connection to it
	callClose            // close the connection with that number
	callStats            // return what /stats shows
)

// called takes a call of a worker.
func (m *master) called(c *dispatch.Call) {
	number, text, err := parseCall(c)
	switch {
	case err != nil:
		c.Refuse(err)
	case c.Tag == callSend:
		m.reach(c, number, func(conn *epoll.Conn) error { return loop.Send(conn, number, text) })
	case c.Tag == callClose:
		m.reach(c, number, func(conn *epoll.Conn) error { return loop.Close(conn, number) })
	default:
		report, err := json.Marshal(m.report())
		if err != nil {
			c.Refuse(err)
			return
		}
		c.Return(report)
	}
}

// reach has the loop of a connection call fn with it, or with nil, and the call return
// what that comes to.
func (m *master) reach(c *dispatch.Call, number uint64, fn func(*epoll.Conn) error) {
	err := m.loops.Do(number, func(conn *epoll.Conn) {
		err := fn(conn)
		_ = m.calls.Post(func() { finish(c, err) }) // it is never closed
	})
	if err != nil { // the loop has ended
		c.Refuse(loop.NoConn(number))
	}
}

//go:build linux

package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
)

// A server is the workers, and their loops.
type server struct {
	config  *echo.Config
	started time.Time
	loops   *loop.Loops
	workers []*worker
	stats   []echo.Stats // of the workers
}

// A worker is a loop and what belongs to it. Workers reach each other by Post, and
// never wait.
type worker struct {
	*loop.Worker
	server *server
}

// newServer returns a server that listens on fd.
func newServer(config *echo.Config, log *slog.Logger, fd int) (*server, error) {
	loops, err := loop.NewLoops(config.Workers, nil)
	if err != nil {
		return nil, err
	}
	s := &server{config: config, started: time.Now(), loops: loops}
	for _, l := range loops.Loops() {
		w := &worker{Worker: loop.New(config, log, l, echo.NewStats(nil)), server: s}
		w.Handler.Report, w.Handler.Tell, w.Handler.Send, w.Handler.Close = s.report, w.tell, w.send, w.close
		w.Handler.Crash = echo.RefuseCrash
		s.workers, s.stats = append(s.workers, w), append(s.stats, w.Counts)
	}
	return s, loops.Listen(fd, loop.Clients(config), log)
}

// stop has the loops end once they have answered what they are to answer.
func (s *server) stop() {
	s.loops.Shut(func(l *epoll.Loop) { l.State.(*loop.Worker).Stop() })
}

func (s *server) report() (any, error) { return s.config.Report(s.started, s.stats), nil }

// tell sends text to a worker, which may be w itself.
func (w *worker) tell(number int, text string) error {
	if all := w.server.workers; number < len(all) {
		other := all[number]
		return other.Loop.Post(func() { other.Hear(text) })
	}
	return fmt.Errorf("no worker %d, want 0 to %d", number, len(w.server.workers)-1)
}

// send writes text to connection id.
func (w *worker) send(id uint64, text []byte, done func(error)) {
	w.reach(id, done, func(c *epoll.Conn) error { return loop.Send(c, id, text) })
}

// close closes connection id.
func (w *worker) close(id uint64, done func(error)) {
	w.reach(id, done, func(c *epoll.Conn) error { return loop.Close(c, id) })
}

// reach has the worker of connection id call fn with it, or with nil, and then w call
// done with the outcome.
func (w *worker) reach(id uint64, done func(error), fn func(c *epoll.Conn) error) {
	err := w.server.loops.Do(id, func(c *epoll.Conn) {
		err := fn(c)
		_ = w.Loop.Post(func() { done(err) }) // or w has ended, and nobody waits
	})
	if err != nil { // its loop has ended
		done(loop.NoConn(id))
	}
}

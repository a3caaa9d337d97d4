//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
)

// A server is the workers, and the loop that accepts for them.
type server struct {
	config   *echo.Config
	log      *slog.Logger
	started  time.Time
	group    *epoll.Group // the loops of the workers
	workers  []*worker
	stats    []echo.Stats // of the workers
	acceptor *epoll.Loop  // that of the worker, if there is only one
	listener *epoll.Listener
}

// A worker is a loop and what belongs to it. Workers reach each other by Post, and
// never wait.
type worker struct {
	*loop.Worker
	server *server
}

// newServer returns a server that listens on fd.
func newServer(config *echo.Config, log *slog.Logger, fd int) (*server, error) {
	group, err := epoll.NewGroup(config.Workers, nil)
	if err != nil {
		return nil, err
	}
	s := &server{config: config, log: log, started: time.Now(), group: group, acceptor: group.Loops()[0]}
	for _, l := range group.Loops() {
		w := &worker{Worker: loop.New(config, log, l, echo.NewStats(nil)), server: s}
		w.Handler.Report, w.Handler.Tell, w.Handler.Send, w.Handler.Close = s.report, w.tell, w.send, w.close
		w.Handler.Crash = echo.RefuseCrash
		s.workers, s.stats = append(s.workers, w), append(s.stats, w.Counts)
	}
	if config.Workers > 1 {
		if s.acceptor, err = epoll.New(nil); err != nil {
			return nil, err
		}
	}
	s.listener, err = s.acceptor.Listen(fd, loop.Clients(config), &epoll.ListenOptions{
		Loop:   group.Least,
		Paused: func(err error) { log.Error("cannot accept, will go on trying", "err", err) },
	})
	return s, err
}

// run runs the loops until stop has ended them. One that fails ends the others.
func (s *server) run() error {
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	var accepting sync.WaitGroup
	if s.acceptor != s.group.Loops()[0] {
		accepting.Go(func() { // ends when stop has drained it, or with ctx
			if err := s.acceptor.Run(ctx); err != nil {
				fail(err)
			}
		})
	}
	if err := s.group.Run(ctx); err != nil {
		fail(err)
	}
	accepting.Wait()
	return context.Cause(ctx)
}

// stop has the loops end once they have answered what they are to answer. The
// workers hear of it from the acceptor, behind the connections it has for them.
func (s *server) stop() {
	_ = s.acceptor.Post(func() { // or it has failed, and they all end
		_ = s.listener.Close() // it is open
		for _, w := range s.workers {
			_ = w.Loop.Post(w.Stop) // as above
		}
		s.acceptor.Drain(nil)
	})
}

// connections returns the number of connections, those included that their worker
// does not know of yet.
func (s *server) connections() (n int) {
	for _, l := range s.group.Loops() {
		n += l.Len()
	}
	return n
}

func (s *server) report() *echo.Report { return s.config.Report(s.started, s.stats) }

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
	err := w.server.group.Do(id, func(c *epoll.Conn) {
		err := fn(c)
		_ = w.Loop.Post(func() { done(err) }) // or w has ended, and nobody waits
	})
	if err != nil { // its loop has ended
		done(loop.NoConn(id))
	}
}

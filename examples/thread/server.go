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
)

// A server is the workers, and the loop that accepts for them.
type server struct {
	config   *echo.Config
	log      *slog.Logger
	started  time.Time
	group    *epoll.Group // the loops of the workers
	workers  []*worker
	stats    []*echo.Stats // of the workers
	acceptor *epoll.Loop   // that of the worker, if there is only one
	listener *epoll.Listener
}

// A worker is a loop and what belongs to it: nobody else touches anything of it,
// but to read what it counts. Workers reach each other by Post, and never wait.
type worker struct {
	*server
	loop    *epoll.Loop
	handler echo.Handler
	counts  echo.Stats
	heard   int // messages
}

// newServer returns a server that listens on fd.
func newServer(config *echo.Config, log *slog.Logger, fd int) (*server, error) {
	group, err := epoll.NewGroup(config.Workers, nil)
	if err != nil {
		return nil, err
	}
	s := &server{config: config, log: log, started: time.Now(), group: group, acceptor: group.Loops()[0]}
	for _, l := range group.Loops() {
		w := &worker{server: s, loop: l}
		l.State = w
		heard := func() int { return w.heard }
		w.handler = echo.Handler{Commands: config.Frame == "eof", Report: s.report, Heard: heard, Tell: w.tell, Send: w.send, Close: w.close}
		s.workers, s.stats = append(s.workers, w), append(s.stats, &w.counts)
	}
	if config.Workers > 1 {
		if s.acceptor, err = epoll.New(nil); err != nil {
			return nil, err
		}
	}
	s.listener, err = s.acceptor.Listen(fd, s.clients(), &epoll.ListenOptions{
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
			_ = w.loop.Post(w.stop) // as above
		}
		s.acceptor.Drain(nil)
	})
}

// stop ends every connection after grace, and the loop after them.
func (w *worker) stop() {
	w.loop.After(grace, func() {
		for c := range w.loop.Conns() {
			of(c).finish()
		}
	})
	w.loop.Drain(nil)
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
	if number >= len(w.workers) {
		return fmt.Errorf("no worker %d, want 0 to %d", number, len(w.workers)-1)
	}
	other := w.workers[number]
	return other.loop.Post(func() {
		other.heard++
		other.log.Debug("message", "worker", number, "text", text)
	})
}

// send writes text to connection id, unless its client does not read.
func (w *worker) send(id uint64, text []byte, done func(error)) {
	w.reach(id, done, func(c *conn) error {
		if c.Full() {
			return fmt.Errorf("connection %d takes no more now, %d bytes wait for it", id, c.Unsent())
		}
		return c.write(text)
	})
}

// close closes connection id.
func (w *worker) close(id uint64, done func(error)) { w.reach(id, done, (*conn).end) }

// reach has the worker of connection id call fn with it, and then w call done with
// the outcome.
func (w *worker) reach(id uint64, done func(error), fn func(c *conn) error) {
	none := fmt.Errorf("no connection %d", id)
	err := w.group.Do(id, func(c *epoll.Conn) {
		err := none
		if c := of(c); c != nil {
			err = fn(c)
		}
		_ = w.loop.Post(func() { done(err) }) // or w has ended, and nobody waits
	})
	if err != nil { // its loop has ended
		done(none)
	}
}

//go:build unix

// Thread is the echo server in one process, in its first form: a goroutine for
// each connection, which reads a frame, has the handler of package echo answer
// it, and writes the reply.
//
// SIGINT and SIGTERM stop it gracefully: it accepts nobody, answers what comes
// within 100 ms and what it has in hand, and ends with code 0, after 5 s at the
// latest. A second one ends it at once. It has no workers for SIGHUP, SIGUSR1
// and SIGUSR2 to reload, and says so.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
)

const (
	grace = 100 * time.Millisecond // for requests on their way when a stop begins
	drain = 5 * time.Second        // for replies in hand when a stop begins, or a connection ends
)

const about = `This one is a single process
with a goroutine for each connection; its workers are the threads they run on.
SIGINT and SIGTERM stop it gracefully, a second one at once.`

func main() {
	flags := flag.NewFlagSet("thread", flag.ContinueOnError)
	os.Exit(echo.Main(flags, os.Args[1:], about, run))
}

// run serves until a signal stops it.
func run(config *echo.Config, log *slog.Logger) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	runtime.GOMAXPROCS(config.Workers)
	l, real, err := listen(config.Addr)
	if err != nil {
		return err
	}
	config.Addr = real
	s := newServer(config, log)
	s.running.Go(func() { s.accept(l) }) // ends when l is closed
	fmt.Println("listening on", real)

	for sig := range signals {
		if sig == syscall.SIGINT || sig == syscall.SIGTERM {
			log.Info("stopping", "signal", sig, "connections", s.stats.Connections.Load())
			go second(signals) // ends with the program
			break
		}
		log.Info("nothing to reload: there are no workers", "signal", sig)
	}
	_ = l.Close() // nobody is accepted any more, whatever it returns
	s.stop()
	return nil
}

// second ends the program when it is asked to stop once more.
func second(signals <-chan os.Signal) {
	for sig := range signals {
		if number, ok := sig.(syscall.Signal); ok && (number == syscall.SIGINT || number == syscall.SIGTERM) {
			signal.Reset(number)
			_ = syscall.Kill(os.Getpid(), number) // now it does what it does to any program
		}
	}
}

// A server is the connections and what they share.
type server struct {
	config  *echo.Config
	log     *slog.Logger
	stats   *echo.Stats
	handler *echo.Handler
	conns   conns
	running sync.WaitGroup // a goroutine for accept, and one for each connection
}

func newServer(config *echo.Config, log *slog.Logger) *server {
	s := &server{config: config, log: log, stats: &echo.Stats{Config: config, PID: os.Getpid(), Uptime: echo.Since{Time: time.Now()}}}
	s.handler = &echo.Handler{Commands: config.Frame == "eof", Stats: s.stats, Send: s.conns.send, Close: s.conns.close}
	return s
}

// accept serves whoever connects, until l is closed. When accepting fails, for
// want of descriptors above all, it says so once, and tries again and again.
func (s *server) accept(l net.Listener) {
	var pause time.Duration
	var failed time.Time
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			pause = 0
			if c := newConn(nc, s.config, s.stats); s.conns.add(c) {
				s.running.Go(func() { s.serve(c) }) // ends with the connection
			}
			continue
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		if time.Since(failed) > 2*time.Second {
			s.log.Error("cannot accept, will go on trying", "err", err)
		}
		failed = time.Now()
		time.Sleep(pause)
	}
}

// serve serves one client to the end, and says why if that is an error.
func (s *server) serve(c *conn) {
	s.stats.Accepted.Add(1)
	s.stats.Connections.Add(1)
	err := c.answer(s.handler)
	if err != nil {
		s.stats.Errors.Add(1)
		s.log.Warn("connection closed", "conn", c.id, "remote", c.RemoteAddr(), "err", err)
	}
	s.conns.remove(c.id)
	c.finish(err)
	s.stats.Connections.Add(-1)
	s.stats.Closed.Add(1)
}

// stop ends every connection, and returns when they are gone or drain is over.
func (s *server) stop() {
	s.conns.stop()
	gone := make(chan struct{})
	go func() { s.running.Wait(); close(gone) }() // ends with the last connection, or the program
	select {
	case <-gone:
		s.log.Info("stopped", "requests", s.stats.Requests.Load())
	case <-time.After(drain):
		s.log.Warn("stopped, and cut connections that would not end", "connections", s.stats.Connections.Load())
	}
}

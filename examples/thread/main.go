//go:build linux

// Thread is the echo server in one process: each worker is an event loop, which
// answers the requests of its connections in callbacks. A connection stays with
// its worker to the end.
//
// One more loop accepts, and hands connections over to the worker that has the
// fewest: they stay spread evenly however long they live, and a worker that
// blocks keeps nobody from being accepted. A single worker accepts by itself.
//
// SIGINT and SIGTERM stop it gracefully: it accepts nobody, answers what comes
// within 100 ms and what it has in hand, and ends with code 0, after 5 s at the
// latest. A second one, after those 100 ms, ends it at once. SIGHUP, SIGUSR1 and
// SIGUSR2 find nothing to reload, and it says so. A panic in one worker ends them
// all.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
)

const drain = 5 * time.Second // for the whole stop

const about = `This one is a single process
whose workers are event loops. SIGINT and SIGTERM stop it gracefully, a second
one at once.`

func main() {
	flags := flag.NewFlagSet("thread", flag.ContinueOnError)
	os.Exit(echo.Main(flags, os.Args[1:], about, run))
}

// run serves until a signal stops it, or a loop fails.
func run(config *echo.Config, log *slog.Logger) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	fd, addr, unlink, err := loop.Listen(config.Addr)
	if err != nil {
		return err
	}
	config.Addr = addr
	s, err := newServer(config, log, fd)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.loops.Run() }() // ends with the loops, or the program
	fmt.Println("listening on", addr)

	var began time.Time
	var late <-chan time.Time
	for {
		select {
		case sig := <-signals:
			switch {
			case sig != syscall.SIGINT && sig != syscall.SIGTERM:
				log.Info("nothing to reload: the workers are this process itself", "signal", sig)
			case late == nil:
				log.Info("stopping", "signal", sig, "connections", s.loops.Len())
				began, late = time.Now(), time.After(drain)
				unlink()
				s.stop()
			case time.Since(began) < loop.Grace: // the same signal, sent to the process and to its group
			default:
				signal.Reset(sig)
				_ = syscall.Kill(os.Getpid(), sig.(syscall.Signal)) // does what it does to any program
				time.Sleep(time.Second)                             // unless that is nothing, as SIGINT to a job in the background
				return errors.New("a second signal")
			}
		case err := <-ended:
			if err == nil {
				log.Info("stopped", "requests", s.config.Report(s.started, s.stats).Requests)
			}
			return err
		case <-late:
			log.Warn("stopped, and cut connections that would not end", "connections", s.loops.Len())
			return nil
		}
	}
}

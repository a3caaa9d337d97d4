//go:build linux

// Base is the echo server in worker processes: each has an event loop of its own,
// accepts from the listener that they share, and answers its connections by itself.
// A process that dies takes its own connections with it, and another one takes its
// place.
//
// A manager starts the workers, and does nothing else: no request passes through it.
// Workers reach each other by messages. With one worker and no task workers there is
// no manager, and no other process.
//
// SIGINT and SIGTERM stop it gracefully: nobody is accepted, what comes within 100 ms
// and what is in hand is answered; a second one, after those 100 ms, ends it at once.
// SIGHUP and SIGUSR1 replace the workers, one after the other: the new one is ready
// before the old one goes, which has ten seconds for its connections to end. SIGUSR2
// does that for task workers.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

const about = `This one has
worker processes, which share the listener. SIGINT and SIGTERM stop it gracefully,
a second one at once. SIGHUP and SIGUSR1 replace the workers, SIGUSR2 task workers.`

func main() {
	userprocess.Main(userprocess.Roles{manage.Workers: procpool.Work(work), manage.Tasks: procpool.Work(task)})
	var o manage.Options
	os.Exit(echo.Main(o.Flags("base"), os.Args[1:], about, func(config *echo.Config, log *slog.Logger) error {
		return run(config, log, &o)
	}))
}

// run serves until a signal stops it, or no worker can be kept running.
func run(config *echo.Config, log *slog.Logger, o *manage.Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	signals := manage.Signals()
	fd, addr, unlink, err := loop.Listen(config.Addr)
	if err != nil {
		return err
	}
	config.Addr = addr
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if config.Workers == 1 && o.Tasks == 0 {
		reload := func(os.Signal) {
			log.Info("nothing to reload: the only worker is this process itself")
		}
		go manage.Watch(signals, log, func() { unlink(); stop() }, reload, exit) // ends with the program
		return alone(ctx, config, log, fd)
	}
	m, err := newManager(config, log, o, fd)
	if err != nil {
		return err
	}
	go manage.Watch(signals, log, func() { unlink(); m.close(); stop() }, m.reload, func(os.Signal) { m.pool.Kill() }) // as above
	return m.run(ctx)
}

// exit does what the signal does to any program.
func exit(sig os.Signal) {
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), sig.(syscall.Signal)) // unless that is nothing
	time.Sleep(time.Second)
	os.Exit(1)
}

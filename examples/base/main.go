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
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

const about = `This one has
worker processes, which share the listener. SIGINT and SIGTERM stop it gracefully,
a second one at once. SIGHUP and SIGUSR1 replace the workers, SIGUSR2 task workers.`

func main() {
	userprocess.Main(userprocess.Roles{"worker": procpool.Work(work), "task": procpool.Work(task)})
	var o options
	os.Exit(echo.Main(o.flags(), os.Args[1:], about, func(config *echo.Config, log *slog.Logger) error {
		return run(config, log, &o)
	}))
}

// The options are what other servers do not have.
type options struct {
	tasks        int
	drain, grace time.Duration
}

// flags returns the flags that set them.
func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("base", flag.ContinueOnError)
	flags.IntVar(&o.tasks, "tasks", 0, "`NUMBER` of task workers, for /task")
	flags.DurationVar(&o.drain, "drain", procpool.DefaultDrain, "`TIME` that a worker has to finish what it has in hand, when another one\nhas taken its place")
	flags.DurationVar(&o.grace, "grace", procpool.DefaultGrace, "`TIME` after that until it is killed")
	return flags
}

func (o *options) check() error {
	switch {
	case o.tasks < 0 || o.tasks > 1024:
		return echo.FlagError(fmt.Sprintf("-tasks %d is out of range, want 0 to 1024", o.tasks))
	case o.drain <= 0 || o.grace <= 0:
		return echo.FlagError(fmt.Sprintf("-drain %v and -grace %v must be more than 0", o.drain, o.grace))
	}
	return nil
}

// run serves until a signal stops it, or no worker can be kept running.
func run(config *echo.Config, log *slog.Logger, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	fd, addr, unlink, err := loop.Listen(config.Addr)
	if err != nil {
		return err
	}
	config.Addr = addr
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if config.Workers == 1 && o.tasks == 0 {
		reload := func(os.Signal) {
			log.Info("nothing to reload: the only worker is this process itself")
		}
		go watch(signals, log, func() { unlink(); stop() }, reload, exit) // ends with the program
		return alone(ctx, config, log, fd)
	}
	m, err := newManager(config, log, o, fd)
	if err != nil {
		return err
	}
	go watch(signals, log, func() { unlink(); m.close(); stop() }, m.reload, func(os.Signal) { m.pool.Kill() }) // as above
	return m.run(ctx)
}

// watch does what signals ask for.
func watch(signals <-chan os.Signal, log *slog.Logger, stop func(), reload, force func(os.Signal)) {
	var began time.Time
	for sig := range signals {
		switch {
		case sig != syscall.SIGINT && sig != syscall.SIGTERM:
			reload(sig)
		case began.IsZero():
			began = time.Now()
			log.Info("stopping", "signal", sig)
			stop()
		case time.Since(began) < loop.Grace: // the same signal, sent to the process and to its group
		default:
			force(sig)
		}
	}
}

// exit does what the signal does to any program.
func exit(sig os.Signal) {
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), sig.(syscall.Signal)) // unless that is nothing
	time.Sleep(time.Second)
	os.Exit(1)
}

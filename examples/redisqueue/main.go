//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

const about = `Redisqueue carries out the tasks in a Redis stream by worker processes, which may be
killed at any time. To submit a task, to see the results, and the tasks that failed:

	redis-cli XADD tasks '*' payload hello
	redis-cli XREAD STREAMS tasks:results 0
	redis-cli XREAD STREAMS tasks:dead 0

SIGINT and SIGTERM stop it when the tasks in hand are done.

`

// workers is the name of the group of workers, and their role.
const workers = "worker"

func main() {
	logging.Disable() // of the client: its errors say what there is to be said
	userprocess.Main(userprocess.Roles{workers: procpool.Work(work)})
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "redisqueue:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run has the workers run until ctx ends.
func run(ctx context.Context, o *options) error {
	pool, err := procpool.New([]*procpool.Group{o.workerGroup()}, &procpool.Options{Event: event})
	if err != nil {
		return err
	}
	return pool.Run(ctx)
}

// event logs what happens to the workers.
func event(e procpool.Event) {
	switch {
	case e.Kind == procpool.Exited && !e.Expected:
		slog.Error(e.String())
	case e.Kind == procpool.StartFailed, e.Kind == procpool.Waiting, e.Kind == procpool.Killed:
		slog.Warn(e.String())
	default:
		slog.Info(e.String())
	}
}

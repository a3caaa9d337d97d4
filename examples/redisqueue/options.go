//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// The options are what the flags set, of the manager and of its workers.
type options struct {
	addr, stream, group, name string
	workers                   int
	idle                      time.Duration
	deliveries                int64
}

// parse returns the options in the arguments.
func parse(args []string) (*options, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	o := new(options)
	flags := flag.NewFlagSet("redisqueue", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:6379", "`ADDRESS` of the Redis server: HOST:PORT, or the path of a socket")
	flags.StringVar(&o.stream, "stream", "tasks", "`KEY` of the stream; :results and :dead are appended for the others")
	flags.StringVar(&o.group, "group", "workers", "`NAME` of the consumer group")
	flags.StringVar(&o.name, "name", host, "`NAME` of this pool, which no other one of the group has")
	flags.IntVar(&o.workers, "workers", runtime.NumCPU(), "`NUMBER` of worker processes")
	flags.DurationVar(&o.idle, "idle", time.Minute, "`TIME` that a task may be with a worker of which nothing is heard, before another one gets it;\nmore than the longest task takes")
	flags.Int64Var(&o.deliveries, "deliveries", 5, "`NUMBER` of times that a task is tried")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Print(about)
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
		}
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.idle < time.Millisecond:
		return nil, fmt.Errorf("-idle %v is less than 1ms", o.idle)
	case o.deliveries < 1:
		return nil, fmt.Errorf("-deliveries %d is less than 1", o.deliveries)
	}
	return o, nil
}

// args returns what parse makes the same options of.
func (o *options) args() []string {
	return []string{
		"-addr", o.addr, "-stream", o.stream, "-group", o.group, "-name", o.name, "-workers", strconv.Itoa(o.workers),
		"-idle", o.idle.String(), "-deliveries", strconv.FormatInt(o.deliveries, 10),
	}
}

// workerGroup returns the group of workers.
func (o *options) workerGroup() *procpool.Group {
	return &procpool.Group{Name: workers, Count: o.workers, Command: userprocess.Command{Role: workers, Args: o.args()}}
}

// queue returns what is to be consumed.
func (o *options) queue() *Queue {
	return &Queue{Stream: o.stream, Dead: o.stream + ":dead", Group: o.group, Idle: o.idle, Deliveries: o.deliveries}
}

// results returns the stream of results.
func (o *options) results() string { return o.stream + ":results" }

// client returns the options of a client that tries everything once: after an error a
// worker ends, and its successor finds out what has been done.
func (o *options) client() *redis.Options {
	return &redis.Options{
		Addr: o.addr, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

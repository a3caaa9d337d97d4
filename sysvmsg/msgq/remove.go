//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
)

func removeCommand() command {
	return command{
		name: "remove",
		args: "QUEUE [flags]",
		does: "remove a queue",
		more: `Whoever waits on the queue gets an error. If there are messages in it, it stays,
unless -force is given.
`,
		setup: func(flags *flag.FlagSet) action {
			r := &remove{}
			r.place.flags(flags)
			flags.BoolVar(&r.force, "force", false, "remove the messages that are in it, too")
			return r.run
		},
	}
}

// A remove is what the flags of the command say.
type remove struct {
	place
	force bool
}

// errNotEmpty is that a queue has messages.
var errNotEmpty = errors.New("-force removes them with it")

func (r *remove) run(_ context.Context, _ *program, args []string) error {
	if len(args) > 0 {
		return misused("%q is no flag", args[0])
	}
	q, err := r.open(toRead)
	if err != nil {
		return err
	}
	if !r.force {
		s, err := q.Stat()
		if err != nil {
			return err
		}
		if s.Messages > 0 {
			return fmt.Errorf("%v has %d messages: %w", q, s.Messages, errNotEmpty)
		}
	}
	return q.Remove()
}

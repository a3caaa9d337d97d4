//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

func cleanCommand() command {
	return command{
		name: "clean",
		args: "[flags]",
		does: "find queues that dead processes have left, and with -yes remove them",
		more: `A queue has been left if the process that sent last and the one that received last
are gone, nobody is seen to wait in it, and nothing was sent, received or changed for
-age. Unless flags say more, it looks at queues only that are private, empty, have
been used, and are owned and created by the user who asks. Without -yes it prints
what it would remove.

A process that is about to use a queue again, and does not wait in it now, cannot be
seen, and neither can one of another PID namespace or one that may not be inspected:
read the list before you give -yes.
`,
		setup: func(flags *flag.FlagSet) action {
			c := &clean{}
			flags.BoolVar(&c.yes, "yes", false, "remove them")
			flags.DurationVar(&c.age, "age", time.Hour, "only queues that were not used for so long")
			flags.BoolVar(&c.messages, "messages", false, "also queues that hold messages, which are lost")
			flags.BoolVar(&c.unused, "unused", false, "also queues that nothing was ever sent to or received from")
			flags.BoolVar(&c.others, "all-users", false, "also queues of other users")
			flags.Func("key", "the queue with a `KEY`, and no private ones; may be given again", func(v string) error {
				key, err := parseKey(v)
				c.keys = append(c.keys, key)
				return err
			})
			flags.Func("id", "the queue with an `ID`, and no others; may be given again", func(v string) error {
				id, err := parseID(v)
				c.ids = append(c.ids, id)
				return err
			})
			return c.run
		},
	}
}

// A clean is what the flags of the command say.
type clean struct {
	yes      bool
	age      time.Duration
	messages bool
	unused   bool
	others   bool
	keys     []sysvmsg.Key
	ids      []int
}

func (c *clean) run(_ context.Context, p *program, args []string) error {
	switch {
	case len(args) > 0:
		return misused("%q is no flag", args[0])
	case c.age < 0:
		return misused("-age %v makes no sense", c.age)
	}
	queues, err := sysvmsg.List()
	if err != nil {
		return err
	}
	var failures []error
	busy := waitedFor()
	for _, s := range queues {
		if !c.left(s, busy[s.ID]) {
			continue
		}
		what := fmt.Sprintf("queue %d (key %v, %d messages, last used %s)", s.ID, s.Key, s.Messages, timeText(lastUse(s), time.RFC3339))
		if !c.yes {
			what = "would remove " + what
		} else if err := c.remove(s); err != nil {
			failures = append(failures, err)
			continue
		} else {
			what = "removed " + what
		}
		if err := p.printf("%s\n", what); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}

// left reports whether a queue has been left, as far as one can see.
func (c *clean) left(s sysvmsg.Stat, busy bool) bool {
	uid := os.Getuid()
	switch {
	case busy,
		!c.named(s),
		!c.others && (s.UID != uid || s.CreatorUID != uid),
		!c.messages && s.Messages > 0,
		!c.unused && s.SentAt.IsZero() && s.ReceivedAt.IsZero(),
		inUse(s.LastSender, s.SentAt), inUse(s.LastReceiver, s.ReceivedAt):
		return false
	}
	return time.Since(lastUse(s)) >= c.age
}

// named reports whether a queue is one to look at.
func (c *clean) named(s sysvmsg.Stat) bool {
	if len(c.keys)+len(c.ids) == 0 {
		return s.Key == sysvmsg.Private
	}
	return slices.Contains(c.keys, s.Key) || slices.Contains(c.ids, s.ID)
}

// inUse reports whether a process that has used a queue may be there still. That of
// another PID namespace has no number here.
func inUse(pid int, at time.Time) bool {
	return !at.IsZero() && (pid == 0 || alive(pid))
}

// lastUse is when something was done to a queue last.
func lastUse(s sysvmsg.Stat) time.Time {
	last := s.ChangedAt
	for _, t := range []time.Time{s.SentAt, s.ReceivedAt} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// remove removes a queue, if it is the one that was judged, and nothing has happened
// to it since.
func (c *clean) remove(was sysvmsg.Stat) error {
	q, err := sysvmsg.OpenID(was.ID)
	if err != nil {
		return err
	}
	is, err := q.Stat()
	if err != nil {
		return err
	}
	is.Capacity = was.Capacity // which a list does not tell
	if is != was {
		return fmt.Errorf("%v is in use, and stays", q)
	}
	return q.Remove()
}

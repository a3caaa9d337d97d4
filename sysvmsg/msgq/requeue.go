//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func requeueCommand() command {
	return command{
		name: "requeue",
		args: "QUEUE -from PLACE [flags]",
		does: "send the messages of a quarantine to a queue again",
		more: `From a queue, each message is taken, sent, and goes back if it cannot be sent; if msgq
is killed in between, that one is lost. From a journal, each message that has not been
sent again is sent and then marked; if msgq is killed in between, that one will be
sent twice. Bytes and types are as they were,
so a message that was not in order still is not, and a stale one is older: -renew
puts the payload, or all bytes where there is no envelope that is whole, into an
envelope of now. It ends with what was there when it began.
`,
		setup: func(flags *flag.FlagSet) action {
			r := &requeue{wait: forever}
			r.place.flags(flags)
			r.progress.flags(flags)
			flags.StringVar(&r.from, "from", "", "where the messages are: a `PLACE`, which is\njournal:PATH, file:PATH[:PROJECT], key:KEY or id:ID")
			flags.IntVar(&r.count, "count", 0, "send so many messages at most; 0 sends all")
			flags.BoolVar(&r.dry, "dry-run", false, "print the messages that would be sent, and change nothing")
			flags.BoolVar(&r.renew, "renew", false, "send in a new envelope")
			flags.Func("schema", "schema `N` of the new envelopes (default that of the old one, or 0)", func(v string) error {
				schema, err := parseSchema(v)
				r.schema = int(schema)
				return err
			})
			r.schema = -1
			flags.Var(&r.wait, "wait", "how long to wait for room, for each message: a `DURATION`, or forever")
			return r.run
		},
	}
}

// A requeue is what the flags of the command say.
type requeue struct {
	place
	progress
	from   string
	count  int
	dry    bool
	renew  bool
	schema int // -1: that of the message
	wait   patience
	self   envelope.Identity
}

func (r *requeue) run(ctx context.Context, p *program, args []string) error {
	switch {
	case len(args) > 0:
		return misused("%q is no flag", args[0])
	case r.from == "":
		return misused("no place: give -from")
	case r.count < 0:
		return misused("-count %d makes no sense", r.count)
	case r.schema >= 0 && !r.renew:
		return misused("-schema is for -renew")
	case r.count == 0:
		r.count = math.MaxInt
	}
	to, err := r.open(toSend)
	if err != nil {
		return err
	}
	r.self = envelope.Self()
	r.start(p.err, r.verb())
	defer r.finish()
	if path, ok := strings.CutPrefix(r.from, "journal:"); ok {
		err = r.journal(ctx, p, path, to)
	} else {
		err = r.queue(ctx, p, to)
	}
	if err == nil && r.n == 0 {
		return fmt.Errorf("%s: %w", r.from, errNothing)
	}
	return err
}

// verb is what is done with messages.
func (r *requeue) verb() string {
	if r.dry {
		return "would send"
	}
	return "sent"
}

// queue takes the messages from a queue.
func (r *requeue) queue(ctx context.Context, p *program, to *sysvmsg.Queue) error {
	at, err := parsePlace(r.from)
	if err != nil {
		return err
	}
	access := toTake
	if r.dry {
		access = toRead
	}
	q, err := at.open(access)
	if err != nil {
		return err
	}
	if q.ID() == to.ID() {
		return misused("-from is the queue to send to")
	}
	from, err := newTaker(q)
	if err != nil {
		return err
	}
	if r.dry {
		return r.show(p, from)
	}
	// A consumer may put a message in quarantine again, and that is not to go on for
	// ever.
	s, err := q.Stat()
	if err != nil {
		return err
	}
	for r.n < min(r.count, s.Messages) {
		t, message, err := from.take(ctx, sysvmsg.Any(), 0)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.send(ctx, to, t, message); err != nil {
			return putBack(ctx, q, t, message, err)
		}
		r.step()
	}
	return nil
}

// show prints what queue would send.
func (r *requeue) show(p *program, from *taker) error {
	for r.n < r.count {
		t, message, err := from.peek(r.n)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return nil
		}
		if err == nil {
			err = p.print(appendLine(nil, t, message))
		}
		if err != nil {
			return err
		}
		r.step()
	}
	return nil
}

// send sends a message as it is, or in a new envelope.
func (r *requeue) send(ctx context.Context, to *sysvmsg.Queue, t sysvmsg.Type, message []byte) error {
	if r.renew {
		h, payload, err := envelope.Parse(message)
		if err != nil {
			payload = message
		}
		schema := h.Schema
		if r.schema >= 0 {
			schema = uint16(r.schema)
		}
		if message, err = envelope.Append(nil, newHeader(schema, r.self), payload); err != nil {
			return err
		}
	}
	return r.wait.send(ctx, to, t, message)
}

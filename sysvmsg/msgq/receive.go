//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func receiveCommand() command {
	return command{
		name: "receive",
		args: "QUEUE [flags]",
		does: "take messages and print their payloads, a line each",
		more: `A message is printed before the next one is taken. If that fails, or the message is
not in order and cannot be put in quarantine, it goes back to the end of the queue.
What is in a pipe when its reader goes away is lost: "receive | head" takes more than
head shows. Give -count, or look with dump.
A message is in order if it has an envelope that is whole, and the -schema if one is
given; with -raw all are. Without -wait only what is there is taken.
`,
		setup: func(flags *flag.FlagSet) action {
			r := &receive{schema: -1}
			r.place.flags(flags)
			r.choice.flags(flags)
			r.progress.flags(flags)
			flags.IntVar(&r.count, "count", 1, "take so many messages; 0 takes what there is")
			flags.Var(&r.wait, "wait", "how long to wait for each message: a `DURATION`, or forever")
			flags.BoolVar(&r.follow, "follow", false, "take messages until a signal comes: -count 0 -wait forever")
			flags.BoolVar(&r.raw, "raw", false, "take messages as they are, with or without envelopes")
			flags.Func("schema", "take another schema than `N` for foreign (default any)", func(v string) error {
				schema, err := parseSchema(v)
				r.schema = int(schema)
				return err
			})
			flags.StringVar(&r.quarantine, "quarantine", "", "where messages go that are not in order: a `PLACE`, which is\njournal:PATH, file:PATH[:PROJECT], key:KEY or id:ID")
			flags.BoolVar(&r.null, "null", false, "end each payload with a NUL byte in place of a line feed")
			flags.BoolVar(&r.long, "long", false, "print the type, the payload quoted, and what the envelope says")
			return r.run
		},
	}
}

// A receive is what the flags of the command say.
type receive struct {
	place
	choice
	progress
	count      int
	wait       patience
	follow     bool
	raw        bool
	schema     int // -1: any
	quarantine string
	null       bool
	long       bool
}

func (r *receive) run(ctx context.Context, p *program, args []string) error {
	if err := r.check(args); err != nil {
		return err
	}
	q, err := r.open(toTake)
	if err != nil {
		return err
	}
	from, err := newTaker(q)
	if err != nil {
		return err
	}
	aside, closeAside, err := openQuarantine(r.quarantine, q)
	if err != nil {
		return err
	}
	defer closeAside()
	r.start(p.err, "took")
	defer r.finish()
	err = r.take(ctx, p, from, aside)
	switch {
	case r.follow && errors.Is(err, context.Canceled) && ctx.Err() != nil,
		r.count == 0 && r.n > 0 && errors.Is(err, sysvmsg.ErrEmpty):
		return nil
	}
	return err
}

// check reports flags that contradict each other.
func (r *receive) check(args []string) error {
	switch {
	case len(args) > 0:
		return misused("%q is no flag", args[0])
	case r.count < 0:
		return misused("-count %d makes no sense", r.count)
	case r.null && r.long:
		return misused("-null and -long exclude each other")
	}
	if r.follow {
		r.count, r.wait = 0, forever
	}
	return nil
}

// take takes messages until there are enough, or none.
func (r *receive) take(ctx context.Context, p *program, from *taker, aside envelope.Quarantine) error {
	var line []byte
	for r.count == 0 || r.n < r.count {
		t, message, err := from.take(ctx, r.selector, r.wait)
		if err != nil {
			return err
		}
		payload, reason := r.judge(message)
		if reason != nil {
			if err := aside.Put(ctx, t, message, reason); err != nil {
				return putBack(ctx, from.q, t, message, fmt.Errorf("not in order: %w; not in quarantine: %w", reason, err))
			}
			p.complain("in quarantine: a message of type %d: %v", t, reason)
			continue
		}
		line = r.append(line[:0], t, message, payload)
		if err := p.print(line); err != nil {
			return putBack(ctx, from.q, t, message, err)
		}
		r.step()
	}
	return nil
}

// judge returns the payload of a message, or why it is not in order.
func (r *receive) judge(message []byte) (payload []byte, reason error) {
	if r.raw {
		return message, nil
	}
	h, payload, err := envelope.Parse(message)
	if err == nil && r.schema >= 0 && r.schema != int(h.Schema) {
		err = fmt.Errorf("schema is %d, want %d: %w", h.Schema, r.schema, envelope.ErrForeign)
	}
	return payload, err
}

// append appends what is printed for a message.
func (r *receive) append(dst []byte, t sysvmsg.Type, message, payload []byte) []byte {
	switch {
	case r.long:
		return appendLine(dst, t, message)
	case r.null:
		return append(append(dst, payload...), 0)
	}
	return append(append(dst, payload...), '\n')
}

// errNowhere is that a message should go to a quarantine that was not named.
var errNowhere = errors.New("there is none without -quarantine")

// Nowhere is the quarantine where none was named.
type nowhere struct{}

func (nowhere) Put(context.Context, sysvmsg.Type, []byte, error) error { return errNowhere }

// openQuarantine opens a journal, or a queue that exists and is not the one that the
// messages come from. The caller calls done.
func openQuarantine(s string, from *sysvmsg.Queue) (aside envelope.Quarantine, done func(), err error) {
	if s == "" {
		return nowhere{}, func() {}, nil
	}
	if path, ok := strings.CutPrefix(s, "journal:"); ok {
		j, err := envelope.OpenJournal(path)
		if err != nil {
			return nil, nil, err
		}
		return j, func() { _ = j.Close() }, nil // every Put has returned its error
	}
	at, err := parsePlace(s)
	if err != nil {
		return nil, nil, err
	}
	q, err := at.open(toSend)
	if err != nil {
		return nil, nil, err
	}
	if q.ID() == from.ID() {
		return nil, nil, misused("-quarantine is the queue to receive from")
	}
	return envelope.ToQueue{Queue: q}, func() {}, nil
}

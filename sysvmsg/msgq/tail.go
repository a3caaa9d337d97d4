//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"hash/maphash"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

func tailCommand() command {
	return command{
		name: "tail",
		args: "QUEUE [flags]",
		does: "print messages as they come, and leave them in the queue",
		more: `It looks at the queue again and again, so it misses a message that comes and is
taken in between, and one that equals another which is there, and may print one twice
if others are taken while it looks. It prints the type,
the payload quoted, and what the envelope says, for what is there and then for what
comes, until a signal ends it. To take messages as they come: receive -follow.
`,
		setup: func(flags *flag.FlagSet) action {
			t := newTail()
			t.place.flags(flags)
			flags.DurationVar(&t.interval, "interval", 200*time.Millisecond, "how often to look")
			return t.run
		},
	}
}

// A tail is what the flags of the command say, and what it has seen.
type tail struct {
	place
	interval time.Duration
	seed     maphash.Seed
	seen     []uint64 // hashes of the messages that were in the queue, in order
}

func newTail() *tail { return &tail{seed: maphash.MakeSeed()} }

func (t *tail) run(ctx context.Context, p *program, args []string) error {
	switch {
	case len(args) > 0:
		return misused("%q is no flag", args[0])
	case t.interval <= 0:
		return misused("-interval %v makes no sense", t.interval)
	}
	q, err := t.open(toRead)
	if err != nil {
		return err
	}
	at, err := newTaker(q)
	if err != nil {
		return err
	}
	ticks := time.NewTicker(t.interval)
	defer ticks.Stop()
	for {
		if err := t.look(p, at); err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look prints what has come since the last look. Messages come at the end, and go
// anywhere: what is left of those seen before is in the same order as it was, and
// what is behind it is new.
func (t *tail) look(p *program, at *taker) error {
	before := t.seen
	var now []uint64
	for index := 0; ; index++ {
		typ, message, err := at.peek(index)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			t.seen = now
			return nil
		}
		if err != nil {
			return err
		}
		h := t.hash(typ, message)
		now = append(now, h)
		if before = behind(before, h); before != nil {
			continue
		}
		if err := p.print(appendLine(nil, typ, message)); err != nil {
			return err
		}
	}
}

// behind returns what is behind h in hashes, not nil, or nil if h is not there.
func behind(hashes []uint64, h uint64) []uint64 {
	for i := range hashes {
		if hashes[i] == h {
			return hashes[i+1:]
		}
	}
	return nil
}

// hash tells messages apart.
func (t *tail) hash(typ sysvmsg.Type, message []byte) uint64 {
	return maphash.Bytes(t.seed, message) ^ maphash.Comparable(t.seed, typ)
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func dumpCommand() command {
	return command{
		name: "dump",
		args: "QUEUE|-journal PATH [flags]",
		does: "print all messages of a queue or a journal in hexadecimal, and leave them there",
		more: `The first line of a message says what its envelope does, or what is wrong with it;
the bytes are those of the payload, or of all if there is no envelope that is whole.
Reading a queue without taking anything needs a kernel with CONFIG_CHECKPOINT_RESTORE.
`,
		setup: func(flags *flag.FlagSet) action {
			d := &dump{}
			d.place.flags(flags)
			flags.StringVar(&d.journal, "journal", "", "the messages that a quarantine has in a file: a `PATH`")
			flags.IntVar(&d.most, "bytes", 256, "print so many bytes of each message at most; 0 prints all")
			return d.run
		},
	}
}

// A dump is what the flags of the command say.
type dump struct {
	place
	journal string
	most    int
}

func (d *dump) run(ctx context.Context, p *program, args []string) error {
	switch {
	case len(args) > 0:
		return misused("%q is no flag", args[0])
	case d.most < 0:
		return misused("-bytes %d makes no sense", d.most)
	case d.journal != "" && d.kind != "":
		return misused("-journal and -%s exclude each other", d.kind)
	case d.journal != "":
		return d.file(ctx, p)
	}
	q, err := d.open(toRead)
	if err != nil {
		return err
	}
	at, err := newTaker(q)
	if err != nil {
		return err
	}
	for index := 0; ; index++ {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		t, message, err := at.peek(index)
		if errors.Is(err, sysvmsg.ErrEmpty) {
			return nil
		}
		if err == nil {
			err = d.message(p, fmt.Sprintf("message %d", index), t, message)
		}
		if err != nil {
			return err
		}
	}
}

// file prints a journal.
func (d *dump) file(ctx context.Context, p *program) error {
	f, err := os.Open(d.journal)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	damaged := error(nil)
	for rec, err := range envelope.NewJournalReader(bufio.NewReader(f)).All() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if errors.Is(err, envelope.ErrCorrupt) {
			p.complain("%s: %v", d.journal, err)
			damaged = err
			continue
		}
		if err != nil {
			return err
		}
		done := ""
		if rec.Done {
			done = ", sent again"
		}
		what := fmt.Sprintf("record at %d, put there %s%s: %q", rec.Offset, timeText(rec.Time, time.RFC3339), done, rec.Reason)
		if err := d.message(p, what, rec.Type, rec.Message); err != nil {
			return err
		}
	}
	return damaged
}

// message prints one message.
func (d *dump) message(p *program, what string, t sysvmsg.Type, message []byte) error {
	state, payload := describe(message)
	shown := payload
	if d.most > 0 && len(shown) > d.most {
		shown = shown[:d.most]
	}
	b := fmt.Appendf(nil, "%s: type %d, %d bytes: %s\n%s", what, t, len(message), state, hex.Dump(shown))
	if more := len(payload) - len(shown); more > 0 {
		b = fmt.Appendf(b, "and %d bytes more\n", more)
	}
	return p.print(b)
}

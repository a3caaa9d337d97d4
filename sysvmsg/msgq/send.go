//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"iter"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

func sendCommand() command {
	return command{
		name: "send",
		args: "QUEUE [flags] [MESSAGE...]",
		does: "send arguments, or the lines of standard input",
		more: `Each argument is one message; without any, each line of standard input is one, and
loses its line feed only. Put -- before messages that begin with a dash. A message
gets an envelope unless -raw is given. If one fails, those before it stay sent, and
standard error says how many they are.
`,
		setup: func(flags *flag.FlagSet) action {
			s := &send{t: 1, wait: forever}
			s.place.flags(flags)
			s.creation.flags(flags)
			s.progress.flags(flags)
			flags.Func("type", "type `N` of the messages, 1 or more (default 1)", func(v string) (err error) {
				s.t, err = parseType(v)
				return err
			})
			flags.Func("schema", "schema `N` of the envelopes, 0 to 65535 (default 0)", func(v string) (err error) {
				s.schema, err = parseSchema(v)
				return err
			})
			flags.BoolVar(&s.raw, "raw", false, "send without envelopes")
			flags.BoolVar(&s.whole, "whole", false, "all of standard input is one message")
			flags.Var(&s.wait, "wait", "how long to wait for room, for each message: a `DURATION`, or forever")
			return s.run
		},
	}
}

// A send is what the flags of the command say.
type send struct {
	place
	creation
	progress
	t      sysvmsg.Type
	schema uint16
	raw    bool
	whole  bool
	wait   patience
}

func (s *send) run(ctx context.Context, p *program, args []string) error {
	if s.whole && len(args) > 0 {
		return misused("-whole is for standard input, and there are arguments")
	}
	q, err := s.openOrCreate(s.creation)
	if err != nil {
		return err
	}
	limits, err := sysvmsg.ReadLimits()
	if err != nil {
		return err
	}
	s.start(p.err, "sent")
	defer s.finish()
	self := envelope.Self()
	var buf []byte
	for message, err := range s.messages(ctx, p.in, args, limits.Message) {
		if err == nil {
			buf, err = s.pack(buf[:0], self, message)
		}
		if err == nil {
			err = s.wait.send(ctx, q, s.t, buf)
		}
		if err != nil {
			return fmt.Errorf("after %d messages: %w", s.n, err)
		}
		s.step()
	}
	return nil
}

// pack appends what is to be sent.
func (s *send) pack(dst []byte, self envelope.Identity, message []byte) ([]byte, error) {
	if s.raw {
		return append(dst, message...), nil
	}
	return envelope.Append(dst, newHeader(s.schema, self), message)
}

// messages iterates over what is to be sent.
func (s *send) messages(ctx context.Context, in io.Reader, args []string, limit int) iter.Seq2[[]byte, error] {
	switch {
	case len(args) > 0:
		return func(yield func([]byte, error) bool) {
			for _, a := range args {
				if !yield([]byte(a), nil) {
					return
				}
			}
		}
	case s.whole:
		return pieces(ctx, in, all, limit)
	}
	return pieces(ctx, in, line, limit)
}

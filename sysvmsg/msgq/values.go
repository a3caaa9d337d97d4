//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A patience is how long to wait: a duration, or forever, which is below 0.
type patience time.Duration

const forever patience = -1

func (p *patience) String() string {
	if *p < 0 {
		return "forever"
	}
	return time.Duration(*p).String()
}

// Set reads "forever" or a duration.
func (p *patience) Set(s string) error {
	if s == "forever" {
		*p = forever
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errors.New("want forever, or a duration such as 1.5s")
	}
	*p = patience(d)
	return nil
}

// limit returns a context that ends, with the given cause, when patience does.
func (p patience) limit(ctx context.Context, cause error) (context.Context, context.CancelFunc) {
	if p < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, time.Duration(p), cause)
}

// send sends a message as patiently as p is.
func (p patience) send(ctx context.Context, q *sysvmsg.Queue, t sysvmsg.Type, message []byte) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	// A short time may be over before Send has looked at the queue.
	if err := q.TrySend(t, message); p == 0 || !errors.Is(err, sysvmsg.ErrFull) {
		return err
	}
	ctx, cancel := p.limit(ctx, sysvmsg.ErrFull)
	defer cancel()
	return q.Send(ctx, t, message)
}

// A choice selects messages by type.
type choice struct {
	selector sysvmsg.Selector
	flag     string // that was given
}

func (c *choice) flags(flags *flag.FlagSet) {
	for _, f := range []struct {
		name, usage string
		selector    func(sysvmsg.Type) sysvmsg.Selector
	}{
		{"type", "only messages of type `N`", sysvmsg.Exact},
		{"lowest", "the lowest type that is there, up to `N`, first", sysvmsg.Lowest},
		{"except", "only messages of other types than `N`", sysvmsg.Except},
	} {
		flags.Func(f.name, f.usage, func(s string) error {
			if c.flag != "" {
				return fmt.Errorf("there is -%s already", c.flag)
			}
			t, err := parseType(s)
			c.selector, c.flag = f.selector(t), f.name
			return err
		})
	}
}

// parseType reads a message type.
func parseType(s string) (sysvmsg.Type, error) {
	t, err := strconv.Atoi(s)
	if err != nil || t < 1 {
		return 0, fmt.Errorf("want a type from 1 to %d", math.MaxInt)
	}
	return sysvmsg.Type(t), nil
}

// parseSchema reads the number that an envelope has.
func parseSchema(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("want a number from 0 to %d", math.MaxUint16)
	}
	return uint16(n), nil
}

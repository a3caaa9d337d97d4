//go:build linux

package epoll

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// A Group is Loops that run side by side, and share one space of connection IDs.
type Group struct {
	loops []*Loop
}

// NewGroup returns a Group of n Loops, at least one, that are made with opts.
func NewGroup(n int, opts *Options) (*Group, error) {
	g := new(Group)
	n = max(n, 1)
	for i := range n {
		l, err := New(opts)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		l.conns.first, l.conns.step = uint64(i), uint64(n)
		g.loops = append(g.loops, l)
	}
	return g, nil
}

// Loops returns the Loops, which stay the Group's. Each may be used like any
// other, from its own callbacks, and before Run.
func (g *Group) Loops() []*Loop { return g.loops }

// Run runs every Loop on a goroutine of its own, and returns when all have ended:
// when Stop is called, ctx is done, or one of them ended, which ends the others
// unless it was drained (see [Loop.Drain]). The error is that of all the Loops. A
// panic in a callback of one is not recovered, and ends the program.
func (g *Group) Run(ctx context.Context) error {
	errs := make([]error, len(g.loops))
	var running sync.WaitGroup
	for i, l := range g.loops {
		running.Go(func() {
			if errs[i] = l.Run(ctx); !l.drained {
				g.Stop()
			}
		})
	}
	running.Wait()
	var told []error
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(told, func(e error) bool { return errors.Is(err, e) }) {
			told = append(told, err) // the end of ctx is the same for all
		}
	}
	if len(told) == 1 {
		return told[0]
	}
	return errors.Join(told...)
}

// Stop makes Run return. It may be called from anywhere, and again.
func (g *Group) Stop() {
	for _, l := range g.loops {
		l.Stop()
	}
}

// Close is [Loop.Close] for every Loop.
func (g *Group) Close() error {
	var errs []error
	for _, l := range g.loops {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Least returns the Loop with the fewest Conns, of those that have not been stopped
// or drained if there are any. It may be called from anywhere.
func (g *Group) Least() *Loop {
	least := g.loops[0]
	for _, l := range g.loops[1:] {
		if least.leaving() || !l.leaving() && l.Len() < least.Len() {
			least = l
		}
	}
	return least
}

// Do is [Loop.Do] of the Loop that has the Conn with an ID. It may be called from
// anywhere.
func (g *Group) Do(id uint64, fn func(c *Conn)) error {
	return g.loops[id%uint64(len(g.loops))].Do(id, fn)
}

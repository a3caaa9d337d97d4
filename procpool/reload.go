//go:build linux

package procpool

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// A reload is one replacement of many workers, and everybody who waits for it.
type reload struct {
	groups   []string      // which take part
	finished chan struct{} // closed when all slots have done their part

	mu   sync.Mutex
	left int // slots
	err  error
}

// done is called by each slot when its old process is gone, or with an error.
func (r *reload) done(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.left--
	if r.left == 0 {
		close(r.finished)
	}
}

// fail has slots that have not begun with their part leave it.
func (r *reload) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// failed returns why the reload is aborted, or nil.
func (r *reload) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Reload replaces workers by new ones, of the groups with these names, or of all
// that take part in reloads. Each slot's successor is started; when it is ready,
// connections and messages go to it, and the old worker drains, for Group.Drain, and
// is stopped, for Group.Grace. As many slots as Options.Surge do that at a time, and
// the old ones drain beside that, each with a time of its own.
//
// A successor that is not ready in time, or ends before, is a *ReloadError: the old
// worker serves on, and slots that have not begun keep theirs.
//
// While a reload goes on, another one waits for its end, and takes together all that
// is asked for until then. Reload returns when all old workers are gone, or with the
// cause of ctx, which does not end the reload. ErrNotRunning says that Run has not
// begun, or stops.
func (p *Pool) Reload(ctx context.Context, groups ...string) error {
	for _, name := range groups {
		if !slices.ContainsFunc(p.groups, func(g *Group) bool { return g.Name == name }) {
			return fmt.Errorf("procpool: no group %q", name)
		}
	}
	r, err := p.ask(groups)
	if err != nil {
		return err
	}
	select {
	case <-r.finished:
		return r.failed()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask returns the next reload, which takes these groups, too.
func (p *Pool) ask(groups []string) (*reload, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.stopping {
		return nil, ErrNotRunning
	}
	if len(groups) == 0 {
		for _, g := range p.groups {
			if g.reloads() {
				groups = append(groups, g.Name)
			}
		}
	}
	if p.next == nil {
		p.next = &reload{finished: make(chan struct{})}
	}
	p.next.groups = append(p.next.groups, groups...)
	select {
	case p.asked <- struct{}{}:
	default:
	}
	return p.next, nil
}

// beginReload begins the next reload, if there is one, and returns it.
func (p *Pool) beginReload() *reload {
	p.mu.Lock()
	r := p.next
	p.next = nil
	p.mu.Unlock()
	if r == nil {
		return nil
	}
	var slots []*slot
	for _, s := range p.slots {
		if slices.Contains(r.groups, s.group.Name) {
			slots = append(slots, s)
		}
	}
	p.count(func(c *Counters) { c.Reloads++ })
	p.event(Event{Kind: Reloading})
	r.left = len(slots) + 1
	for _, s := range slots {
		if !s.post(func() { s.reload = r }) {
			r.done(nil) // it will have no worker any more
		}
	}
	r.done(nil)
	return r
}

// endReload tells how a reload has ended.
func (p *Pool) endReload(r *reload) {
	err := r.failed()
	if err != nil {
		p.count(func(c *Counters) { c.Aborts++ })
	}
	p.event(Event{Kind: Reloaded, Err: err})
}

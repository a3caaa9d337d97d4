//go:build linux

package procpool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// Options are about a pool as a whole. Nil is the zero Options.
type Options struct {
	// Event, if not nil, is called with everything that happens, one call at a time,
	// and soon after it. Who does not return keeps the pool waiting. It may call
	// Status, Counters and TrySend.
	Event func(Event)

	// Surge is how many workers are replaced at a time, by reloads or at their own
	// wish; zero is 1.
	Surge int

	// Words are how many counters each slot shares with all processes of the pool, for
	// the application. See [Pool.Words].
	Words int

	// Message is the longest message to an inbox, in bytes; zero is 16 MiB.
	Message int

	// Orphans has the process of Run inherit, and reap, the processes that its workers
	// leave behind. See [userprocess.Reap], which is called with Foreign.
	Orphans bool
	Foreign func(pid int) bool
}

// A Pool is groups of workers that are kept running.
type Pool struct {
	options Options
	groups  []*Group
	layout  layout
	slots   []*slot     // of all groups, in order
	shared  *sharedPage // once Run has begun
	turns   chan struct{}
	asked   chan struct{} // there is a next reload
	killed  chan struct{} // by Kill
	starts  context.Context
	ended   chan struct{} // closed by the last slot
	left    atomic.Int32  // slots

	mu        sync.Mutex
	resources *resources // once Run has begun
	running   bool       // Run has been called, and has not returned
	ran       bool       // Run has been called
	stopping  bool
	next      *reload
	failure   error // why Run ends
	fails     chan struct{}
	counters  Counters

	hook sync.Mutex // one call of Options.Event at a time
}

// New returns a Pool of these groups, which have names of their own. It starts
// nothing. The error says which field of which group makes no sense.
func New(groups []*Group, o *Options) (*Pool, error) {
	p := &Pool{
		asked: make(chan struct{}, 1), killed: make(chan struct{}), ended: make(chan struct{}), fails: make(chan struct{}),
	}
	if o != nil {
		p.options = *o
	}
	if p.options.Surge < 0 || p.options.Words < 0 || p.options.Words > maxWords || p.options.Message < 0 {
		return nil, fmt.Errorf("procpool: Surge %d, Words %d, Message %d", p.options.Surge, p.options.Words, p.options.Message)
	}
	p.turns = make(chan struct{}, max(p.options.Surge, 1))
	for _, g := range groups {
		g, err := g.withDefaults()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(p.groups, func(other *Group) bool { return other.Name == g.Name }) {
			return nil, fmt.Errorf("procpool: two groups %q", g.Name)
		}
		p.groups = append(p.groups, g)
		p.layout = append(p.layout, groupNumber{Name: g.Name, First: len(p.slots), Count: g.Count})
		for id := range g.Count {
			s := newSlot(p, g, id)
			s.start = p.starter(s)
			if g.Slot != nil {
				s.files = g.Slot(id)
			}
			p.slots = append(p.slots, s)
		}
	}
	if len(p.slots) == 0 || len(p.slots) > MaxCount {
		return nil, fmt.Errorf("procpool: %d workers, want 1 to %d", len(p.slots), MaxCount)
	}
	return p, nil
}

// Run starts the workers, and keeps them running until ctx ends. Then it has them
// drain, for Group.Drain, and stop, for Group.Grace, all at a time, kills who is left,
// and returns when the last process has ended. It returns nil then, and when no slot
// will have a worker any more because of its Restart.Policy; a *FailedError; or what
// kept it from beginning. It can be called once; a second call is ErrRunning.
//
// Run starts one goroutine for each slot, which ends before it returns, and one or
// two that wait for each process.
func (p *Pool) Run(ctx context.Context) error {
	if err := p.begin(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return p.end()
	}
	if err := p.open(); err != nil {
		return errors.Join(err, p.end())
	}
	leave := p.adopt()
	starts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	p.starts = starts
	p.left.Store(int32(len(p.slots)))
	for _, s := range p.slots {
		go func() { // ends when the slot will have no process any more
			s.run()
			if p.left.Add(-1) == 0 {
				close(p.ended)
			}
		}()
	}
	p.manage(ctx, cancel)
	return errors.Join(p.end(), leave(), p.resources.close())
}

// adopt inherits orphans, if Options say so, until leave is called.
func (p *Pool) adopt() (leave func() error) {
	if !p.options.Orphans {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- userprocess.Reap(ctx, p.options.Foreign) }() // ends with leave
	return func() error {
		cancel()
		return <-ended
	}
}

// begin notes that the pool runs.
func (p *Pool) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ran {
		return ErrRunning
	}
	p.ran, p.running = true, true
	return nil
}

// end notes that it has run.
func (p *Pool) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	if p.next != nil { // asked for when there was no worker any more
		p.next.fail(ErrNotRunning)
		close(p.next.finished)
	}
	return p.failure
}

// manage does what concerns all slots, until they have ended.
func (p *Pool) manage(ctx context.Context, cancel func()) {
	stop, kill, fails := ctx.Done(), p.killed, p.fails
	var current *reload
	for {
		asked, finished := p.asked, (chan struct{})(nil)
		if current != nil {
			asked, finished = nil, current.finished
		}
		select {
		case <-asked:
			current = p.beginReload()
		case <-finished:
			p.endReload(current)
			current = nil
		case <-stop:
			p.stop(current, cancel, (*slot).stop)
			stop = nil
		case <-fails:
			p.stop(current, cancel, (*slot).stop)
			stop, fails = nil, nil
		case <-kill:
			p.stop(current, cancel, (*slot).kill)
			stop, fails, kill = nil, nil, nil
		case <-p.ended:
			if current != nil {
				<-current.finished
				p.endReload(current)
			}
			return
		}
	}
}

// stop has every slot end, in a way, and whoever waits for a reload wait no more.
func (p *Pool) stop(current *reload, cancel func(), how func(*slot)) {
	p.mu.Lock()
	first, next := !p.stopping, p.next
	p.stopping, p.next = true, nil
	p.mu.Unlock()
	if first {
		p.event(Event{Kind: PoolStopping})
	}
	if current != nil {
		current.fail(errStopping)
	}
	if next != nil {
		next.fail(errStopping)
		close(next.finished)
	}
	cancel()
	for _, s := range p.slots {
		s.post(func() { how(s) })
	}
}

// errStopping is the error of a reload that a stop has overtaken.
var errStopping = fmt.Errorf("procpool: reload aborted: %w", ErrStopping)

// Kill kills every process, at once. Run returns when they have ended.
func (p *Pool) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.killed:
	default:
		close(p.killed)
	}
}

// fail has Run end with an error.
func (p *Pool) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
		close(p.fails)
	}
}

// count changes the Counters.
func (p *Pool) count(f func(*Counters)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.counters)
}

// Counters returns how often things have happened.
func (p *Pool) Counters() Counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counters
}

// Words returns the counters of a slot, which all processes of the pool share: as
// many as Options.Words. They are the application's, outlive the workers, and are
// valid while Run runs: later use ends the program with SIGSEGV.
func (p *Pool) Words(group string, slot int) ([]atomic.Int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.resources == nil {
		return nil, ErrNotRunning
	}
	number, err := p.layout.number(group, slot)
	if err != nil {
		return nil, err
	}
	return p.shared.application(number), nil
}

// event calls the hook.
func (p *Pool) event(e Event) {
	if p.options.Event == nil {
		return
	}
	p.hook.Lock()
	defer p.hook.Unlock()
	e.Time = time.Now()
	p.options.Event(e)
}

//go:build linux

package procpool

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// A slot is the place of a worker. Its goroutine owns all of it but what is marked.
//
//	    ┌─────────── backoff ◀─────────┐ ends unasked
//	    ▼                              │
//	starting ── ready ──▶ idle, busy ──┤
//	    ▲                              │ a successor is ready, or the pool stops
//	    └── reload, retirement         ▼
//	                       draining ── stopping ── killed
//
// It has at most one current process, for which connections and messages are, at
// most one successor, and any number that are on their way out.
type slot struct {
	pool   *Pool
	group  *Group
	id     int                     // in its group
	number int                     // in its pool
	files  map[string]syscall.Conn // of all its workers
	start  starter

	procs       []*proc // all that live
	current     *proc   // starting or ready, or nil
	successor   *proc   // starting, while there is a current one, or nil
	incarnation int     // of the latest
	budget      budget
	resume      time.Time // no start before
	finished    bool      // no start any more
	last        *userprocess.Exit
	restarts    int

	retiring  bool    // current has asked for a successor
	reload    *reload // this slot's part of it is not done; or nil
	replacing *proc   // whose start is a reload's or a retirement's, and has the turn
	leaving   *proc   // whose end the reload waits for

	notices chan procNotice

	mu     sync.Mutex // guards what follows, for all goroutines
	orders []func()   // to be called by the slot's goroutine
	ended  bool       // which has ended
	wake   chan struct{}
	status []Status
}

// A procNotice is a notice with the process that it is of.
type procNotice struct {
	*proc
	notice
}

func newSlot(p *Pool, g *Group, id int) *slot {
	return &slot{
		pool: p, group: g, id: id, number: len(p.slots), budget: budget{Restart: g.Restart},
		notices: make(chan procNotice), wake: make(chan struct{}, 1),
	}
}

// post has the slot's goroutine call f. It reports false if that has ended.
func (s *slot) post(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.orders = append(s.orders, f)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

// run is the slot's goroutine. It ends when no process is left and none will come.
func (s *slot) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s.step()
		s.publish()
		if s.finished && len(s.procs) == 0 {
			s.end()
			return
		}
		s.arm(timer)
		var turns chan<- struct{}
		if s.wantsTurn() {
			turns = s.pool.turns
		}
		select {
		case n := <-s.notices:
			s.hear(n.proc, n.notice)
		case <-s.wake:
			s.obey()
		case turns <- struct{}{}:
			s.replace()
		case <-timer.C:
			s.expire()
		}
	}
}

// step does what is to be done now.
func (s *slot) step() {
	if s.reload != nil && s.reload.failed() != nil && s.replacing == nil && s.leaving == nil {
		s.endReload(nil)
	}
	for !s.finished && s.current == nil && !time.Now().Before(s.resume) {
		s.launch()
	}
}

// wantsTurn reports whether this slot waits for its turn to replace its worker: the
// turns keep down how many are replaced at a time.
func (s *slot) wantsTurn() bool {
	switch {
	case s.finished, s.successor != nil, s.replacing != nil, s.current != nil && s.current.state == StateStarting:
		return false
	case s.reload != nil && s.leaving == nil:
		return true
	}
	return s.retiring && s.current != nil && !time.Now().Before(s.resume)
}

// replace starts a successor, or, where there is no worker to replace, a worker. It
// is this slot's turn, until the process is ready or gone.
func (s *slot) replace() {
	if s.reload != nil && s.reload.failed() != nil {
		<-s.pool.turns
		return // step ends it
	}
	s.replacing = new(proc) // to be known before it is ready
	s.launch()
}

// end does what was posted last.
func (s *slot) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.obey()
	s.endReload(nil)
}

// event tells of something that has happened, to p if it is not nil.
func (s *slot) event(e Event, p *proc) {
	e.Group, e.Slot, e.Incarnation = s.group.Name, s.id, s.incarnation
	if p != nil {
		e.Incarnation = p.incarnation
		if p.child != nil {
			e.PID = p.PID()
		}
	}
	s.pool.event(e)
}

// obey does what was posted.
func (s *slot) obey() {
	s.mu.Lock()
	orders := s.orders
	s.orders = nil
	s.mu.Unlock()
	for _, f := range orders {
		f()
	}
}

// arm sets the timer to what is due first.
func (s *slot) arm(timer *time.Timer) {
	var due time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, p := range s.procs {
		sooner(p.deadline)
	}
	if now := time.Now(); now.Before(s.resume) && !s.finished {
		sooner(s.resume)
	}
	if due.IsZero() {
		timer.Stop()
	} else {
		timer.Reset(time.Until(due))
	}
}

// expire does what is due but starts, which are step's.
func (s *slot) expire() {
	now := time.Now()
	for _, p := range slices.Clone(s.procs) {
		if !p.deadline.IsZero() && !now.Before(p.deadline) {
			p.expire()
		}
	}
}

// launch starts a process: the current one, or if there is one, its successor.
func (s *slot) launch() {
	s.incarnation++
	p := &proc{slot: s, incarnation: s.incarnation, started: time.Now()}
	replaces := s.replacing != nil
	if replaces {
		s.replacing = p
	}
	ctx, cancel := context.WithTimeout(s.pool.starts, s.group.Start)
	defer cancel()
	var err error
	p.child, err = s.start(ctx, p.incarnation, func(n notice) { s.notices <- procNotice{p, n} })
	if err != nil {
		s.startFailed(p, err)
		s.gone(p, nil, err)
		return
	}
	s.procs = append(s.procs, p)
	if s.current == nil {
		s.current = p
	} else {
		s.successor = p
	}
	s.pool.count(func(c *Counters) { c.Starts++ })
	p.enter(StateStarting, s.group.Start)
	s.event(Event{Kind: Started}, p)
	if s.group.Command.Role == "" {
		s.ready(p)
	}
}

// startFailed tells that p does not run, or was not ready in time.
func (s *slot) startFailed(p *proc, err error) {
	s.pool.count(func(c *Counters) { c.StartFailures++ })
	s.event(Event{Kind: StartFailed, Err: err}, p)
}

// hear does what a notice asks for.
func (s *slot) hear(p *proc, n notice) {
	switch n.word {
	case wordReady:
		if p.state == StateStarting {
			s.ready(p)
		}
	case wordRetire:
		if p == s.current && p.state == StateIdle && !s.retiring {
			s.retiring = true
			s.pool.count(func(c *Counters) { c.Retirements++ })
		}
	case wordDetach:
		s.detach(p)
	case wordExited:
		s.exited(p, n.exit)
	}
}

// ready has p serve. If it is a successor, its predecessor goes.
func (s *slot) ready(p *proc) {
	p.state, p.since, p.deadline = StateIdle, time.Now(), time.Time{}
	s.event(Event{Kind: Ready}, p)
	var old *proc
	if p == s.successor {
		old, s.current, s.successor, s.retiring = s.current, p, nil, false
		old.retire(orderReplace)
	}
	if p == s.replacing {
		s.replacing = nil
		<-s.pool.turns
		if s.leaving = old; old == nil {
			s.endReload(nil)
		}
	}
}

// detach lets p go on by itself, and leaves its place to another one at once.
func (s *slot) detach(p *proc) {
	if p != s.current || p.state != StateIdle {
		return // it is on its way out in any case
	}
	p.state = StateDetached
	s.pool.count(func(c *Counters) { c.Detachments++ })
	s.event(Event{Kind: Detached}, p)
	s.current, s.successor, s.retiring = s.successor, nil, false
}

// exited notes that a process is gone.
func (s *slot) exited(p *proc, exit userprocess.Exit) {
	s.procs = slices.DeleteFunc(s.procs, func(q *proc) bool { return q == p })
	if s.retiring && p == s.current && exit.OK() { // as it has said
		p.asked = true
	}
	s.last = &exit
	s.pool.count(func(c *Counters) {
		c.Exits++
		if !p.expected() && !exit.OK() {
			c.Failures++
		}
	})
	s.event(Event{Kind: Exited, Exit: exit, Expected: p.expected()}, p)
	s.gone(p, &exit, p.reason(exit))
}

// gone goes on without p: it has ended, or exit is nil and it never ran.
func (s *slot) gone(p *proc, exit *userprocess.Exit, reason error) {
	switch p {
	case s.current:
		s.current, s.successor, s.retiring = s.successor, nil, false
	case s.successor:
		s.successor = nil
	}
	if p == s.leaving {
		s.leaving = nil
		s.endReload(nil)
	}
	free := false // of charge
	if p == s.replacing {
		s.replacing = nil
		<-s.pool.turns
		free = s.reload != nil && s.current != nil // it serves on
		s.endReload(&ReloadError{Group: s.group.Name, Slot: s.id, Err: reason})
	}
	if !free && !p.expected() {
		s.charge(p.served(), exit, reason)
	}
}

// charge is called when a process has ended unasked, or could not be started, with a
// nil exit. It decides when there may be another one, if ever.
func (s *slot) charge(served time.Duration, exit *userprocess.Exit, reason error) {
	ok := exit != nil && exit.OK()
	if s.finished {
		return
	}
	if p := s.group.Restart.Policy; p == Never || p == OnFailure && ok {
		s.finish()
		return
	}
	s.budget.ended(served)
	if s.budget.exhausted() {
		s.pool.fail(&FailedError{Group: s.group.Name, Slot: s.id, Err: reason})
	}
	s.restarts++
	s.pool.count(func(c *Counters) { c.Restarts++ })
	delay := s.budget.next()
	s.resume = time.Now().Add(delay)
	if delay > 0 {
		s.event(Event{Kind: Waiting, Delay: delay}, nil)
	}
}

// finish leaves the slot empty once its processes have ended.
func (s *slot) finish() {
	s.finished = true
	if s.current != nil { // the successor of the one that has ended
		return
	}
	s.event(Event{Kind: Finished}, nil)
}

// stop has everything end.
func (s *slot) stop() {
	s.finished = true
	for _, p := range slices.Clone(s.procs) {
		p.retire(orderStop)
	}
}

// kill kills everything.
func (s *slot) kill() {
	s.finished = true
	for _, p := range slices.Clone(s.procs) {
		p.kill()
	}
}

// endReload notes that this slot has done its part of the reload, or failed.
func (s *slot) endReload(err error) {
	if s.reload != nil {
		s.reload.done(err)
		s.reload = nil
	}
}

//go:build linux

package procpool

import (
	"context"
	"slices"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// replace starts a successor, or, where there is no worker to replace, a worker. It
// is this slot's turn, until the process is ready or gone.
func (s *slot) replace() {
	if s.reload != nil && !s.replaced && s.reload.failed() != nil {
		<-s.pool.turns
		return // step ends it
	}
	s.replacing = s.newProc() // to be known before it is ready
	s.launch(s.replacing)
}

// newProc returns the next process, which is not started.
func (s *slot) newProc() *proc {
	s.incarnation++
	return &proc{slot: s, incarnation: s.incarnation, bank: s.freeBank(), reload: s.reload, started: time.Now()}
}

// launch starts a process: the current one, or if there is one, its successor.
func (s *slot) launch(p *proc) {
	s.earn()
	if s.owed {
		s.owed = false
		s.restarts++
		s.pool.count(func(c *Counters) { c.Restarts++ })
	}
	ctx, cancel := context.WithTimeout(s.pool.starts, s.group.Start)
	defer cancel()
	var err error
	p.child, err = s.start(ctx, p, func(n notice) { s.notices <- procNotice{p, n} })
	if err != nil {
		if s.pool.starts.Err() != nil { // the pool stops, which is no failure
			s.finished, s.stopped = true, true
		} else {
			s.startFailed(p, err)
		}
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
	p.state, p.deadline = StateStarting, p.started.Add(s.group.Start)
	s.event(Event{Kind: Started}, p)
	if s.group.Command.Role == "" {
		s.ready(p)
	}
}

// freeBank returns a bank of the shared page that no process of the slot has.
func (s *slot) freeBank() int {
	bank := 0
	for bank < banks && slices.ContainsFunc(s.procs, func(p *proc) bool { return p.bank == bank }) {
		bank++
	}
	return bank
}

// startFailed tells that p does not run, or was not ready in time.
func (s *slot) startFailed(p *proc, err error) {
	s.pool.count(func(c *Counters) { c.StartFailures++ })
	s.event(Event{Kind: StartFailed, Err: err}, p)
}

// hear does what a notice asks for.
func (s *slot) hear(p *proc, n notice) {
	s.earn()
	switch n.word {
	case wordReady:
		if p.state == StateStarting {
			s.ready(p)
		}
	case wordRetire:
		if p.state == StateIdle && !p.retires {
			p.retires = true
			s.pool.count(func(c *Counters) { c.Retirements++ })
			s.brake(p)
		}
	case wordDetach:
		s.detach(p)
	case wordExited:
		s.exited(p, n.exit)
	}
}

// earn gives the slot what its worker has earned by being ready until now.
func (s *slot) earn() {
	if p := s.current; p != nil && p.state == StateIdle {
		p.paid = s.budget.earn(p.paid, time.Now())
	}
}

// ready has p serve. If it is a successor, its predecessor goes.
func (s *slot) ready(p *proc) {
	p.state, p.since, p.deadline = StateIdle, time.Now(), time.Time{}
	p.paid = p.since
	p.lanes.ready()
	s.event(Event{Kind: Ready}, p)
	if p == s.successor {
		old := s.current
		s.current, s.successor = p, nil
		old.retire(orderReplace)
	}
	s.giveTurn(p)
	s.replaced = s.replaced || s.reload != nil && p.reload == s.reload
}

// giveTurn gives the turn back, if p has it.
func (s *slot) giveTurn(p *proc) {
	if p == s.replacing {
		s.replacing = nil
		<-s.pool.turns
	}
}

// detach lets p go on by itself, and leaves its place, if it has not lost that yet, to
// another one at once.
func (s *slot) detach(p *proc) {
	if p.state != StateIdle && (p.state != StateDraining || s.stopped) {
		return
	}
	p.state, p.deadline = StateDetached, time.Time{}
	p.lanes.drain()
	s.pool.count(func(c *Counters) { c.Detachments++ })
	s.event(Event{Kind: Detached}, p)
	if p == s.current {
		s.vacate()
		s.brake(p)
	}
}

// vacate leaves the place of the current process to its successor, unless that is on
// its way out, too.
func (s *slot) vacate() {
	s.current, s.successor = s.successor, nil
	if s.current != nil && s.current.state != StateStarting {
		s.current = nil
	}
}

// brake has the next start cost something after p, which goes at its own wish, if it
// does so too soon: or a slot might be busy with starts.
func (s *slot) brake(p *proc) {
	if p.served() < s.group.Restart.Regain {
		s.wait()
	}
}

// wait has the next start wait for as long as the budget says.
func (s *slot) wait() {
	delay := s.budget.next()
	s.resume = time.Now().Add(delay)
	if delay > 0 {
		s.event(Event{Kind: Waiting, Delay: delay}, nil)
	}
}

// exited notes that a process is gone.
func (s *slot) exited(p *proc, exit userprocess.Exit) {
	s.procs = slices.DeleteFunc(s.procs, func(q *proc) bool { return q == p })
	if p.retires && exit.OK() { // as it has said
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
	p.lanes.exited()
	switch p {
	case s.current:
		s.vacate()
	case s.successor:
		s.successor = nil
	}
	s.giveTurn(p)
	if s.reload != nil && p.reload == s.reload && !s.replaced { // p was what it wants
		s.endReload(&ReloadError{Group: s.group.Name, Slot: s.id, Err: reason})
		if s.current != nil {
			return // it serves on, and nothing is charged
		}
	}
	if !p.expected() && !s.finished {
		s.charge(p, exit, reason)
	}
}

// charge is called when a process has ended unasked, or could not be started, with a
// nil exit. It decides when there may be another one, if ever.
func (s *slot) charge(p *proc, exit *userprocess.Exit, reason error) {
	ok := exit != nil && exit.OK() && !p.late
	policy := s.group.Restart.Policy
	switch {
	case s.current == nil && (policy == Never || policy == OnFailure && ok):
		s.finished = true
	case s.budget.fail(p.served()):
		s.finished, s.stopped = true, true
		s.pool.fail(&FailedError{Group: s.group.Name, Slot: s.id, Err: reason})
	case s.current != nil && s.current == s.replacing: // its successor was on its way
	default:
		s.owed = s.current == nil
		s.wait()
	}
}

// stop has everything end.
func (s *slot) stop() {
	s.finished, s.stopped = true, true
	for _, p := range slices.Clone(s.procs) {
		p.retire(orderStop)
	}
}

// kill kills everything.
func (s *slot) kill() {
	s.finished, s.stopped = true, true
	for _, p := range slices.Clone(s.procs) {
		p.kill()
	}
}

// endReload notes that this slot has done its part of the reload, or failed.
func (s *slot) endReload(err error) {
	if s.reload != nil {
		s.reload.done(err)
		s.reload, s.replaced = nil, false
	}
}

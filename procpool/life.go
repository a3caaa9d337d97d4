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
	if s.reload != nil && s.reload.failed() != nil {
		<-s.pool.turns
		return // step ends it
	}
	s.replacing = new(proc) // to be known before it is ready
	s.launch()
}

// launch starts a process: the current one, or if there is one, its successor.
func (s *slot) launch() {
	s.incarnation++
	p := &proc{slot: s, incarnation: s.incarnation, bank: s.freeBank(), started: time.Now()}
	replaces := s.replacing != nil
	if replaces {
		s.replacing = p
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
	p.enter(StateStarting, s.group.Start)
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
		s.finished = true
		return
	}
	s.budget.ended(served)
	if s.budget.exhausted() {
		s.finished, s.stopped = true, true
		s.pool.fail(&FailedError{Group: s.group.Name, Slot: s.id, Err: reason})
		return
	}
	if s.current != nil && s.current == s.replacing { // its successor was on its way
		return
	}
	s.restarts++
	s.pool.count(func(c *Counters) { c.Restarts++ })
	delay := s.budget.next()
	s.resume = time.Now().Add(delay)
	if delay > 0 {
		s.event(Event{Kind: Waiting, Delay: delay}, nil)
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
		s.reload = nil
	}
}

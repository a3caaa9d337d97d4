//go:build linux

package procpool

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/plait-go/plait/procpool/dispatch"
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
	resume      time.Time // no start before, but for a reload
	owed        bool      // the next start is a restart
	finished    bool      // no start any more
	stopped     bool      // because the pool stops
	last        *userprocess.Exit
	restarts    int

	reload    *reload // this slot's part of it is not done; or nil
	replaced  bool    // what reload wants is ready, but the old ones are not gone
	replacing *proc   // whose start is a reload's or a retirement's, and has the turn

	notices     chan procNotice
	dispatchers []*dispatch.Dispatcher // of its group
	plans       []lanePlan             // of the lanes to them

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
	if s.reload != nil && s.reloaded() {
		s.endReload(nil)
	}
	if !s.finished && s.current == nil && !time.Now().Before(s.resume) {
		s.launch(s.newProc())
	}
}

// reloaded reports whether the slot has nothing left to do for its reload.
func (s *slot) reloaded() bool {
	switch {
	case s.replaced:
		return !slices.ContainsFunc(s.procs, func(p *proc) bool {
			return p.reload != s.reload && p.state != StateDetached
		})
	case s.replacing != nil && s.replacing.reload == s.reload:
		return false // it has begun
	}
	return s.finished || s.reload.failed() != nil
}

// wantsTurn reports whether this slot waits for its turn to replace its worker: the
// turns keep down how many are replaced at a time.
func (s *slot) wantsTurn() bool {
	switch {
	case s.finished, s.successor != nil, s.replacing != nil, s.current != nil && s.current.state == StateStarting:
		return false
	case s.reload != nil && !s.replaced:
		return true
	}
	return s.current != nil && s.current.retires && !time.Now().Before(s.resume)
}

// end does what was posted last.
func (s *slot) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.obey()
	for _, d := range s.dispatchers {
		d.Finish(s.id)
	}
	s.endReload(nil)
	if !s.stopped {
		s.event(Event{Kind: Finished}, nil)
	}
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
	s.publish()
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
	if !s.finished && (s.current == nil || time.Now().Before(s.resume)) {
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

//go:build linux

package epoll

import (
	"errors"
	"os"
	"time"
)

// A watch is a Source and its descriptor.
type watch struct {
	r           *rig
	s           *Source
	pipe        pipe
	mask        Events
	removed     bool
	lost        bool // closed without being removed
	hung        bool
	told        bool // of the hangup
	spent       bool // a one-shot one that was told
	poked, seen int
}

// masks are what Sources watch for.
func masks() []Events {
	return []Events{Readable, Readable | EdgeTriggered, Readable | OneShot, 0}
}

// add makes a watch.
func (r *rig) add(p pipe, mask Events) {
	w := &watch{r: r, pipe: p, mask: mask}
	s, err := r.l.Add(p.fd, mask, w.call)
	if err != nil {
		if !errors.Is(err, ErrStopped) || !r.l.over() {
			r.fault("Add: %v", err)
		}
		p.hang()
		r.release(p.fd)
		return
	}
	w.s = s
	r.watches = append(r.watches, w)
}

// call is the callback. A hangup would be told for ever, so it asks for nothing
// more then, or goes.
func (w *watch) call(e Events) {
	r := w.r
	if w.removed || w.lost || r.ended {
		r.fault("source %d: told %v; removed %v, closed %v", w.s.gen, e, w.removed, w.lost)
		return
	}
	if e == 0 || e&^(w.mask|Hangup|Failed) != 0 || w.spent {
		r.fault("source %d: told %v, asked for %v, spent %v", w.s.gen, e, w.mask, w.spent)
	}
	w.spent = w.mask&OneShot != 0
	if e&Readable != 0 {
		w.seen += w.pipe.drain()
	}
	if e&Hangup != 0 {
		if !w.hung || w.told && w.mask == 0 {
			r.fault("source %d: hangup; has hung up %v, was told %v", w.s.gen, w.hung, w.told)
		}
		w.told = true
		switch {
		case w.mask == 0:
		case w.seen%2 == 0:
			w.set(0)
		default:
			w.remove()
		}
	}
	r.within()
}

func (w *watch) set(mask Events) {
	if w.lost {
		return // of no meaning
	}
	err := w.s.Set(mask)
	if ended := w.removed || w.r.l.over(); ended != (err != nil) || err != nil && !errors.Is(err, os.ErrClosed) {
		w.r.fault("source %d: Set(%v) = %v, removed %v", w.s.gen, mask, err, w.removed)
	}
	if err == nil {
		if mask != w.mask {
			w.told = false
		}
		w.mask, w.spent = mask, false
	}
}

func (w *watch) remove() {
	err := w.s.Remove()
	if w.removed != (err != nil) || err != nil && !errors.Is(err, os.ErrClosed) {
		w.r.fault("source %d: Remove = %v, removed before %v", w.s.gen, err, w.removed)
	}
	w.removed = true
}

// replace closes the descriptor, removed or not, held elsewhere or not, and has
// another Source take its number.
func (w *watch) replace(removes, held bool, mask Events) {
	if w.lost || w.r.ended {
		return
	}
	if removes {
		w.remove()
	}
	if held && !w.hung {
		w.r.hold(w.pipe.fd)
		if !w.removed {
			w.r.orphans[Event{FD: w.pipe.fd, Gen: w.s.gen}] = true
		}
	} else {
		w.hang()
	}
	w.lost = true
	w.r.add(w.r.world.replace(w.pipe.fd), mask)
}

// hang closes the test's end.
func (w *watch) hang() {
	if !w.hung && !w.lost {
		w.hung = true
		w.pipe.hang()
	}
}

func (w *watch) poke() {
	if !w.hung {
		w.pipe.poke()
		if !w.lost {
			w.poked++
		}
	}
}

// An alarm is a Timer, and when it is due.
type alarm struct {
	r      *rig
	t      *Timer
	due    time.Time
	period time.Duration
	seq    int // of its setting
	live   bool
	set    int // round in which a timer's callback set it
}

// alarm makes one. The first time of an Every is like that of an After.
func (r *rig) alarm(d, period time.Duration) {
	a := &alarm{r: r, period: period}
	if period > 0 {
		d = period
		a.expect(d)
		a.t = r.l.Every(d, a.call)
	} else {
		a.expect(d)
		a.t = r.l.After(d, a.call)
	}
	r.alarms = append(r.alarms, a)
}

// expect notes when a is due.
func (a *alarm) expect(d time.Duration) {
	a.due, a.live = a.r.clock.Add(d), true
	a.order()
}

func (a *alarm) order() {
	a.r.settings++
	a.seq, a.set = a.r.settings, 0
	if a.r.firing {
		a.set = a.r.round
	}
}

func (a *alarm) call() {
	r := a.r
	if !a.live || r.ended {
		r.fault("timer %d: called after Stop, or again, or after the end", a.seq)
	}
	if r.clock.Before(a.due) {
		r.fault("timer %d: called %v early", a.seq, a.due.Sub(r.clock))
	}
	if a.set == r.round {
		r.fault("timer %d: called in the round in which a timer set it", a.seq)
	}
	if r.last.due.After(a.due) || r.last.due.Equal(a.due) && r.last.seq > a.seq {
		r.fault("timer %d: called behind timer %d, which is due later", a.seq, r.last.seq)
	}
	r.last = *a
	r.firing = true
	if a.live = a.period > 0; a.live {
		missed := r.l.Now().Sub(a.due) / a.period
		a.due = a.due.Add((missed + 1) * a.period)
		a.order()
	}
	r.within()
	r.firing = false
}

func (a *alarm) stop() {
	if got := a.t.Stop(); got != a.live {
		a.r.fault("timer %d: Stop() = %v, want %v", a.seq, got, a.live)
	}
	a.live = false
}

func (a *alarm) reset(d time.Duration) {
	a.expect(d)
	a.t.Reset(d)
}

//go:build linux

package epoll

import "time"

// ErrIdle is why a Conn was closed that stood still for Limits.Idle.
var ErrIdle error = idleError{}

type idleError struct{}

func (idleError) Error() string   { return "epoll: connection idle for too long" }
func (idleError) Timeout() bool   { return true }
func (idleError) Temporary() bool { return true }

// An overseer looks after the bounds of a Loop's Conns. A Conn that makes progress
// only notes the time. One timer stands at the earliest time at which a Conn's
// bound can have passed; then all Conns are looked at, those whose bound has
// passed are told, and the timer moves to the next such time, by an eighth of the
// shortest bound at least. So a Conn is looked at eight times in its bound at
// most, and is told an eighth too late at most.
//
// It may be the Loop that stood still, in a callback or for want of a processor,
// and not they. So the Conns are looked at, with the time at which the timer fired,
// only when the kernel has told of everything that came before.
type overseer struct {
	timer    *Timer
	at       int64         // when the timer fires, or 0
	shortest time.Duration // of the bounds since the Conns were looked at
	fired    int64         // when the timer fired, while rounds are to come
	rounds   int           // until the Conns are looked at
}

// instant returns the time in nanoseconds since the Loop was made. The time of the
// round would do for looking, but not for noting: a callback may take long, and a
// Conn must not be told early.
func (l *Loop) instant() int64 { return int64(l.kernel.now().Sub(l.born)) + 1 }

// expect has the Conns looked at when a bound of d passes, at the latest.
func (l *Loop) expect(at int64, d time.Duration) {
	o := &l.overseer
	if o.shortest == 0 || d < o.shortest {
		o.shortest = d
	}
	if o.at != 0 && o.at <= at {
		return
	}
	o.at = at
	if o.timer == nil {
		o.timer = &Timer{loop: l, fn: l.oversee, own: true, at: unset}
	}
	o.timer.setAt(l.born.Add(time.Duration(at)))
}

// oversee looks at all Conns, once as many rounds have passed as it takes to tell of
// every descriptor: the kernel puts one that it has told of behind the others.
func (l *Loop) oversee() {
	o := &l.overseer
	if o.fired == 0 {
		o.fired, o.rounds = l.instant(), 2+len(l.slots)/len(l.events)
	}
	if o.rounds--; o.rounds > 0 {
		o.timer.Reset(0)
		return
	}
	now := o.fired
	wait := now + int64(o.shortest/8)
	l.overseer = overseer{timer: o.timer}
	for c := range l.conns.all() {
		d := c.bound()
		if d == 0 {
			continue
		}
		if at := c.since + int64(d); at > now {
			l.expect(max(at, wait), d)
			continue
		}
		c.expire()
	}
}

// begin notes the time, from which a bound of the state counts.
func (c *Conn) begin() {
	if c.bound() > 0 {
		c.since = c.loop.instant()
		c.await()
	}
}

// await has c looked at when the bound of its state passes.
func (c *Conn) await() {
	d := c.bound()
	c.loop.expect(c.since+int64(d), d)
}

// progress notes the time, from which a Conn that stands still is idle.
func (c *Conn) progress() {
	if c.state == open && c.h.idle() > 0 {
		c.since = c.loop.instant()
	}
}

// bound returns how long c may be in its state, 0 for ever.
func (c *Conn) bound() time.Duration { return min(c.limit(), longest) }

// longest is a century and a half: a time that can be added to others.
const longest = time.Duration(1 << 62)

func (c *Conn) limit() time.Duration {
	switch {
	case c.state == gone:
		return 0
	case c.state == lingering && !c.is(late):
		return min(linger, c.h.closing())
	case c.state > open:
		return c.h.closing()
	case c.is(connecting):
		return c.h.dialing()
	case c.state == opening:
		return 0
	}
	return c.h.idle()
}

//go:build linux

package epoll

import (
	"io"
	"time"
)

// check looks at what holds when there is nothing left to do.
func (r *rig) check() {
	if r.ran != r.posted || r.done != r.deferred && !r.ended {
		r.fault("%d posted functions ran of %d, %d deferred ones of %d", r.ran, r.posted, r.done, r.deferred)
	}
	live := 0
	for _, s := range r.subjects {
		s.check()
		if s.closed == 0 && !s.detached {
			live++
		}
	}
	if n := r.l.Len(); n != live {
		r.fault("Len() = %d, want %d", n, live)
	}
	if r.ended {
		return
	}
	for _, a := range r.alarms {
		if a.live && !a.due.After(r.clock) {
			r.fault("timer %d: not called %v after it was due", a.seq, r.clock.Sub(a.due))
		}
	}
	for _, w := range r.watches {
		if !w.removed && !w.lost && w.mask&Readable != 0 && !w.spent && w.seen != w.poked {
			r.fault("source %d: told of %d bytes of %d", w.s.gen, w.seen, w.poked)
		}
		if !w.removed && !w.lost && w.hung && !w.told && !w.spent {
			r.fault("source %d: not told of the hangup", w.s.gen)
		}
	}
	r.checkInterests()
}

// check looks at one Conn at rest.
func (s *subject) check() {
	r, c := s.r, s.c
	if n := c.Unsent(); n < 0 || n > c.h.cap() || (n == 0) != (c.out == nil) {
		r.fault("conn %d: Unsent() = %d, holds a buffer: %v", s.id, n, c.out != nil)
	}
	over := s.closed > 0 || s.detached
	if found := r.l.Conn(c.ID()); found != nil && (found != c || over || s.closing) || found == nil && !over && c.state <= open {
		r.fault("conn %d: looked up %v", s.id, found)
	}
	if r.ended && !over {
		r.fault("conn %d: not closed by the end", s.id)
	}
	if over {
		if c.Unsent() != 0 || c.state != gone {
			r.fault("conn %d: gone with %d bytes unsent, in state %d", s.id, c.Unsent(), c.state)
		}
		return
	}
	if s.aborted {
		r.fault("conn %d: aborted, and not closed", s.id)
	}
	if !s.opened && !s.closing {
		r.fault("conn %d: not opened", s.id)
	}
	e := r.state(c.FD())
	if c.state == open && !s.paused && !c.is(full) && (s.got != s.sent || e&Readable != 0 && !s.eof) && !s.peerGone {
		r.fault("conn %d: Data got %d bytes of %d, and there is %v", s.id, s.got, s.sent, e)
	}
	if c.Unsent() > 0 && e&Writable != 0 && !s.peerGone {
		r.fault("conn %d: %d bytes unsent, and there is %v", s.id, c.Unsent(), e)
	}
}

// checkInterests compares what is registered with what has to be.
func (r *rig) checkInterests() {
	registered := make(map[Event]bool)
	for _, in := range r.interests() {
		key := Event{FD: in.FD, Gen: in.Gen}
		if registered[in] {
			r.fault("descriptor %d is registered twice", in.FD)
		}
		if !r.orphans[key] {
			registered[in] = true
		}
	}
	for _, s := range r.subjects {
		s.checkInterest(registered)
	}
	for _, w := range r.watches {
		want := Event{FD: w.pipe.fd, Gen: w.s.gen, Events: w.mask}
		if w.removed || w.lost || w.spent {
			delete(registered, want)
			want.Events = OneShot // what the kernel leaves of one that was told
			delete(registered, want)
			continue
		}
		if silent := w.mask == 0 && w.told; registered[want] == silent {
			r.fault("source %d: registered %v with %v, which is silent: %v", w.s.gen, !silent, w.mask, silent)
		}
		delete(registered, want)
	}
	for in := range registered {
		r.fault("descriptor %d is registered, with %v and number %d, for nobody", in.FD, in.Events, in.Gen)
	}
}

// checkInterest takes the registration of s from those that there are.
func (s *subject) checkInterest(registered map[Event]bool) {
	if s.closed > 0 || s.detached {
		return
	}
	c := s.c
	var want Events
	n := c.Unsent()
	reading := c.state == open && !s.paused && !s.eof
	if leaving := c.state > open && !c.is(ended); leaving || reading && n <= c.h.lowWater() { // who leaves throws away
		want |= Readable
	}
	either := reading && n > c.h.lowWater() && n <= c.h.highWater()
	if n > 0 {
		want |= Writable
	}
	for _, mask := range []Events{0, Readable, Writable, Readable | Writable} {
		key := Event{FD: c.FD(), Gen: c.gen, Events: mask}
		if !registered[key] {
			continue
		}
		delete(registered, key)
		if mask != want && !(either && mask|Readable == want|Readable) {
			s.r.fault("conn %d: watched for %v, want %v: %d bytes unsent, paused %v, EOF %v, state %d",
				s.id, mask, want, n, s.paused, s.eof, c.state)
		}
		return
	}
	if want != 0 && !s.peerGone {
		s.r.fault("conn %d: not watched, want %v: %d bytes unsent, state %d", s.id, want, n, c.state)
	}
}

// finish brings everything to its end, and looks at what is left.
func (r *rig) finish() {
	r.inside = nil
	r.rest()
	for _, s := range r.subjects {
		if !s.detached && s.closed == 0 {
			s.paused = false
			s.c.Resume()
		}
	}
	for r.listen() > 0 {
		r.rest()
	}
	for _, s := range r.subjects {
		s.leave(false, nil)
	}
	r.rest()
	for r.listen() > 0 {
		r.rest()
	}
	for _, s := range r.subjects {
		s.hangUp()
	}
	r.rest()
	for _, s := range r.subjects {
		s.finished()
	}
	r.finishLoop()
}

// listen has all peers read what is there.
func (r *rig) listen() int {
	n := 0
	for _, s := range r.subjects {
		n += s.hear(1 << 20)
	}
	return n
}

// hangUp has the peer say that it sends no more.
func (s *subject) hangUp() {
	if !s.peerShut && !s.peerGone {
		s.peerShut = true
		s.peer.shutdown()
	}
}

// finished checks that a Conn whose peer has read everything is closed, and that
// nothing was lost if it is said so.
func (s *subject) finished() {
	s.hear(1 << 20)
	if (s.closed == 1) == s.detached {
		s.r.fault("conn %d: Closed %d times, detached %v", s.id, s.closed, s.detached)
	}
	clean := s.detached || !s.aborted && !s.late && (s.reason == nil || s.reason == io.EOF)
	if clean && !s.peerGone && (s.received != s.accepted || !s.end) {
		s.r.fault("conn %d: the peer got %d bytes of %d, and the end: %v; Closed with %v",
			s.id, s.received, s.accepted, s.end, s.reason)
	}
	if !s.peerGone {
		s.peer.close()
		s.peerGone = true
	}
}

// finishLoop ends the Loop, and looks for what it left.
func (r *rig) finishLoop() {
	for _, a := range r.alarms {
		if !r.ended {
			a.stop()
		}
	}
	for _, w := range r.watches {
		if !w.removed && !r.ended {
			w.remove()
		}
	}
	r.advance(10 * time.Second)
	if !r.ended {
		if p := r.l.Pins(); p != (Pins{}) {
			r.fault("the Loop is pinned by %+v", p)
		}
		r.checkInterests()
	}
	r.l.Stop()
	r.rest()
	if n := lent(r.l); n != 0 {
		r.fault("%d buffers are lent, and no Conn is left", n)
	}
	for _, w := range r.watches {
		w.hang()
		if !w.lost {
			r.release(w.pipe.fd)
		}
	}
	r.faults = append(r.faults, r.end()...)
}

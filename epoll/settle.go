//go:build linux

package epoll

import "sync/atomic"

// A traffic is the connections of a Loop, and what they share.
type traffic struct {
	conns    conns
	count    atomic.Int64 // of Conns and arrivals, for other goroutines
	current  *Conn        // whose callback is running, or that is being settled
	dirty    []*Conn      // others to be settled
	settling []*Conn      // what dirty was before
	holders  []*Conn      // others that have been lent an output
	starved  []*Listener  // that wait for a descriptor
	late     []arrival    // that came when the Loop was ending
	overseer overseer
	outputs  outputs
	input    []byte   // where Conns read to
	segments [][]byte // for writev
}

// touch has c settled when the callback that is running has returned.
func (c *Conn) touch() {
	c.flags |= dirty
	if l := c.loop; c != l.current && !c.is(listed) {
		c.flags |= listed
		l.dirty = append(l.dirty, c)
	}
}

// tidy settles the Conns that something was done to. Those of which that is true
// only now, by a callback of another, wait for the next time: one that dials
// again when dialing fails would never come to an end.
func (l *Loop) tidy() {
	l.dirty, l.settling = l.settling[:0], l.dirty
	clear(l.holders)
	l.holders = l.holders[:0]
	for i, c := range l.settling {
		l.settling[i] = nil
		c.flags &^= listed
		l.settle(c)
	}
}

// relieve sends what was written to Conns that wait to be settled, so that a
// callback that writes to very many takes little memory.
func (l *Loop) relieve() {
	for i, c := range l.holders {
		l.holders[i] = nil
		c.send()
	}
	l.holders = l.holders[:0]
}

// maxSteps bounds how often a Conn's callbacks can have it settled again before it
// is the turn of others.
const maxSteps = 8

// settle carries out what was begun on c, and what its callbacks begin meanwhile.
func (l *Loop) settle(c *Conn) {
	l.current = c
	for n := 0; c.is(dirty) && n < maxSteps; n++ {
		c.flags &^= dirty
		c.step()
	}
	l.current = nil
	if c.is(dirty) {
		c.touch()
	}
}

// step is one step of settle.
func (c *Conn) step() {
	if c.state == opening && !c.is(connecting) {
		c.state = open
		c.begin()
		c.call(c.h.Opened)
	}
	c.send()
	if c.state == open {
		c.regulate()
	}
	if c.is(broken) && c.state == open && c.reads() {
		c.read(0) // an event may never come
	}
	if c.state > open {
		c.leave()
	}
	if c.state != gone {
		c.watch()
	}
}

// call calls one of the Handler's functions, and closes c with its error.
func (c *Conn) call(fn func(*Conn) error) {
	if fn == nil {
		return
	}
	if err := fn(c); err != nil {
		_ = c.Close(err) // or it is being closed
	}
}

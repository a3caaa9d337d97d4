//go:build linux

package epoll

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
	l.dirty, l.settling, l.relieved = l.settling[:0], l.dirty, 0
	for i, c := range l.settling {
		l.settling[i] = nil
		c.flags &^= listed
		l.settle(c)
	}
}

// relieve sends what those have written that wait to be settled, so that a
// callback that writes to very many Conns takes little memory.
func (l *Loop) relieve() {
	for ; l.relieved < len(l.dirty); l.relieved++ {
		l.dirty[l.relieved].send()
	}
}

// settle carries out what was begun on c, and what its callbacks begin meanwhile.
func (l *Loop) settle(c *Conn) {
	l.current = c
	for c.is(dirty) {
		c.flags &^= dirty
		c.step()
	}
	l.current = nil
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

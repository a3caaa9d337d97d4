//go:build linux

package epoll

// ready is called with events of the descriptor.
func (c *Conn) ready(e Events) {
	c.loop.current = c
	if c.is(connecting) {
		c.connected()
	} else {
		if c.is(blocked) && e&(Writable|Failed|Hangup) != 0 {
			c.flags &^= blocked
			c.flags |= dirty
			c.send()
		}
		switch {
		case e&^Writable == 0:
		case c.reads():
			c.read(e)
		case c.state == open && c.is(ended) && c.breakdown(e):
		case e&(Failed|Hangup) != 0 && c.wants() == 0:
			c.unwatch() // which would be told again and again
		}
	}
	c.loop.settle(c)
}

// wants returns what c has to wait for.
func (c *Conn) wants() Events {
	if c.is(waiting) {
		return 0
	}
	if c.is(connecting) {
		return Writable
	}
	var e Events
	if c.reads() {
		e = Readable
	}
	if c.is(blocked) {
		e |= Writable
	}
	return e
}

// reads reports whether what the peer sends is to be read.
func (c *Conn) reads() bool {
	switch c.state {
	case open:
		return c.flags&(paused|full|ended|connecting) == 0
	case closing, lingering: // to throw it away
		return c.flags&(ended|connecting) == 0
	}
	return false
}

// watch has the kernel watch for what c has to wait for. What has never waited is
// not in the epoll set; what does not any more stays in it as long as no hangup is
// told, which cannot be masked.
func (c *Conn) watch() {
	want := c.wants()
	if want == c.mask {
		return
	}
	var err error
	if c.is(watched) {
		err = c.loop.kernel.modify(int(c.fd), c.gen, want)
	} else {
		err = c.loop.kernel.add(int(c.fd), c.gen, want)
	}
	if err != nil {
		c.fail(err)
		c.leave()
		return
	}
	c.mask = want
	c.flags |= watched
}

// unwatch takes c out of the epoll set until it waits for something.
func (c *Conn) unwatch() {
	if !c.is(watched) {
		return
	}
	_ = c.loop.kernel.remove(int(c.fd)) // it is ours, and was added
	c.flags &^= watched
	c.mask = 0
}

// interest returns what the kernel is to watch for in a new epoll set.
func (c *Conn) interest() (Events, bool) { return c.mask, c.is(watched) }

// Pause stops reading until Resume. While reading is paused, c does not notice
// that the peer closes, or that the connection breaks.
func (c *Conn) Pause() {
	c.flags |= paused
	c.touch()
}

// Resume lets reading go on after Pause.
func (c *Conn) Resume() {
	c.flags &^= paused
	c.touch()
}

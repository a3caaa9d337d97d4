//go:build linux

package epoll

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// What a Listener does at most before it is the turn of others, and how long it
// waits when accept(2) fails.
const (
	acceptBatch = 64
	minBackoff  = 10 * time.Millisecond
	maxBackoff  = time.Second
)

// ready accepts who is waiting.
func (ln *Listener) ready(Events) {
	for range acceptBatch {
		if ln.closed || ln.atLimit() {
			return
		}
		fd, err := ln.loop.kernel.accept(ln.fd)
		switch err {
		case 0:
			ln.delay = 0
			ln.welcome(fd)
		case unix.EAGAIN:
			ln.failing = false
			return
		case unix.ECONNABORTED, unix.EPERM, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
			unix.ENETDOWN, unix.ENETUNREACH, unix.ENONET, unix.EHOSTDOWN, unix.EHOSTUNREACH:
			// The connection's own, which is gone. See accept(2), Error handling.
		default:
			if ln.loop.kernel.pending(ln.fd) {
				ln.pause(os.NewSyscallError("accept4", err))
			} else {
				ln.failing = false // a descriptor is asked for before anybody is found
			}
			return
		}
	}
	ln.atLimit() // so that who waits next wakes another Loop
}

// atLimit stops accepting if there are as many Conns as there may be.
func (ln *Listener) atLimit() bool {
	if ln.opts.Limit <= 0 || ln.open.Load() < int64(ln.opts.Limit) {
		return false
	}
	ln.stopped.Store(true)
	if ln.open.Load() < int64(ln.opts.Limit) && ln.stopped.Swap(false) {
		return false // one has left meanwhile, on another Loop, and nobody is told
	}
	ln.unwatch()
	return true
}

// left is called, by any Loop, when a Conn is gone.
func (ln *Listener) left() {
	n := ln.open.Add(-1)
	if limit := int64(ln.opts.Limit); limit > 0 && n >= limit || !ln.stopped.Load() {
		return
	}
	if ln.stopped.Swap(false) {
		_ = ln.loop.Post(ln.resume) // or the Loop has ended
	}
}

// pause stops accepting for a while.
func (ln *Listener) pause(err error) {
	ln.unwatch()
	ln.stopped.Store(true)
	ln.delay = min(max(2*ln.delay, minBackoff), maxBackoff)
	ln.retry.Reset(ln.delay)
	if l := ln.loop; !slices.Contains(l.starved, ln) {
		l.starved = append(l.starved, ln)
	}
	if !ln.failing && ln.opts.Paused != nil {
		ln.failing = true
		ln.opts.Paused(err)
	}
}

// feed has the Listeners that wait for a descriptor try again.
func (l *Loop) feed() {
	for i, ln := range l.starved {
		l.starved[i] = nil
		if !ln.closed && !ln.watching {
			ln.retry.Reset(0)
		}
	}
	l.starved = l.starved[:0]
}

// resume lets accepting go on.
func (ln *Listener) resume() {
	if ln.closed || ln.watching {
		return
	}
	ln.stopped.Store(false)
	if err := ln.watch(); err != nil {
		ln.pause(err)
	}
}

// welcome makes a Conn of fd on the Loop that is to have it.
func (ln *Listener) welcome(fd int) {
	to := ln.loop
	if ln.opts.Loop != nil {
		ln.held = fd
		if to = ln.opts.Loop(); to == nil {
			to = ln.loop
		}
		if ln.held < 0 {
			return // ln has been closed, and fd with it
		}
		ln.held = -1
	}
	ln.open.Add(1)
	to.count.Add(1)
	a := arrival{fd, ln}
	if to == ln.loop {
		to.adopt(a)
	} else if first, err := to.posts.arrive(a); err != nil {
		to.refuse(a)
	} else if first {
		_ = to.kernel.wake() // fails when the Loop has ended, and it has closed fd
	}
}

// An arrival is a connection on its way to a Loop.
type arrival struct {
	fd int
	ln *Listener
}

// receive makes Conns of those that have arrived from elsewhere.
func (l *Loop) receive(arrivals []arrival) {
	for _, a := range arrivals {
		l.adopt(a)
	}
	l.tidy()
}

func (l *Loop) adopt(a arrival) { l.attach(a.fd, a.ln.h, a.ln.flags).ln = a.ln }

// refuse closes a connection that comes too late. It is called by any Loop.
func (l *Loop) refuse(a arrival) {
	l.count.Add(-1)
	_ = l.kernel.closeFD(a.fd) // nobody has seen it
	a.ln.left()
}

//go:build linux

package sysvmsg

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// lookAgain is how often one who waits for a place looks at the queue.
const lookAgain = 10 * time.Millisecond

// A call is a system call that moves one message.
type call struct {
	id       int
	buf      *buffer
	size     int  // of the payload, or what there is room for
	send     bool // or receive
	selector Selector
	cut      bool // receive what there is room for, and drop the rest
}

// widen makes room for a payload of that size. It reports whether that is more than
// before.
func (c *call) widen(size int) bool {
	if size <= c.size {
		return false
	}
	c.buf.grow(size)
	c.size = size
	return true
}

// invoke makes the call once, with flags besides its own.
func (c *call) invoke(flags int) (int, unix.Errno) {
	if c.send {
		return 0, rawSend(c.id, c.buf.mem, c.size, flags)
	}
	t, own := c.selector.raw()
	if c.cut {
		own |= msgNoError
	}
	return rawReceive(c.id, c.buf.mem, c.size, t, flags|own)
}

// try makes the call, and does not wait: EAGAIN says that there is no room, ENOMSG
// that there is no message.
func (c *call) try() (int, unix.Errno) {
	for {
		if n, e := c.invoke(ipcNoWait); e != unix.EINTR {
			return n, e
		}
	}
}

// copy receives the message at an index, and leaves it in the queue.
func (c *call) copy(index int) (int, unix.Errno) {
	for {
		n, e := rawReceive(c.id, c.buf.mem, c.size, index, msgCopy|ipcNoWait)
		if e != unix.EINTR {
			return n, e
		}
	}
}

// wait makes the call, and waits until it has come to something, or until ctx ends,
// which is the error. It takes a place for that.
func (c *call) wait(ctx context.Context) (int, unix.Errno, error) {
	select {
	case places <- struct{}{}:
	default:
		n, e, err := c.queue(ctx)
		if err != nil || !again(e) {
			return n, e, err
		}
	}
	defer func() { <-places }()
	return c.sleep(ctx)
}

// queue waits for a place. It has one if the result is that the call would have to
// wait. Otherwise it has none: the call has come to something, or ctx has ended. All
// places may be taken by those whom nobody will ever send a message, so it looks
// for itself now and then.
func (c *call) queue(ctx context.Context) (int, unix.Errno, error) {
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		placed := false
		select {
		case <-ctx.Done():
			return 0, 0, ended(ctx)
		case places <- struct{}{}:
			placed = true
		case <-look.C:
		}
		n, e := c.try()
		switch {
		case again(e) && placed:
			return n, e, nil
		case again(e):
			continue
		case placed:
			<-places
		}
		return n, e, nil
	}
}

// again reports whether a call would have to wait.
func again(e unix.Errno) bool { return e == unix.EAGAIN || e == unix.ENOMSG }

// sleep makes the call, and lets the thread wait in the kernel. What the call came to
// counts, also if ctx ended at the same moment.
func (c *call) sleep(ctx context.Context) (int, unix.Errno, error) {
	if ctx.Done() != nil {
		runtime.LockOSThread() // the thread is the address for the signal
		defer runtime.UnlockOSThread()
		bed := takeBed(ctx)
		defer bed.leave()
	}
	for ctx.Err() == nil {
		// Any signal that the thread handles ends the call, whatever SA_RESTART
		// says: the runtime's own, SIGCHLD, SIGPROF. See signal(7).
		if n, e := c.invoke(0); e != unix.EINTR {
			return n, e, nil
		}
	}
	return 0, 0, ended(ctx)
}

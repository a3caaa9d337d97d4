//go:build linux

package epoll

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrFull says that a Conn would have more unsent than Limits.Cap allows.
var ErrFull = errors.New("epoll: too much unsent")

// Write has p sent behind what was written before; it does not retain p. What is
// written in a callback leaves together when the callback has returned, or once it
// is 64 KiB. On a packet socket each Write is one packet.
//
// All of p is taken, or nothing of it: with ErrFull if more would be unsent than
// Limits.Cap; with [os.ErrClosed] after CloseWrite, Close, or Abort; with the
// error of a write before; with EMSGSIZE for a packet that is longer than the
// socket's send buffer allows, and [os.ErrInvalid] for an empty one, which would
// read as the end. That all of p is taken does not mean that it is sent.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.admits(len(p)); err != nil {
		return 0, err
	}
	if c.is(packets) {
		return c.putPacket(p)
	}
	c.put(p)
	c.fill()
	return len(p), nil
}

// Writev is Write for the concatenation of ps, which is one packet on a packet
// socket.
func (c *Conn) Writev(ps ...[]byte) (int, error) {
	n := 0
	for _, p := range ps {
		n += len(p)
	}
	if err := c.admits(n); err != nil {
		return 0, err
	}
	if c.is(packets) {
		packet := make([]byte, 0, n)
		for _, p := range ps {
			packet = append(packet, p...)
		}
		return c.putPacket(packet)
	}
	for _, p := range ps {
		c.put(p)
	}
	c.fill()
	return n, nil
}

// Unsent returns how many bytes that were written the kernel has not taken yet, and
// 64 more for each packet.
func (c *Conn) Unsent() int {
	if c.out == nil {
		return 0
	}
	return c.out.size
}

// Full reports whether more than Limits.HighWater has been unsent, and not yet as
// little as LowWater since: nothing is read until Drained is called. Whoever
// writes what other Conns read pauses these meanwhile.
func (c *Conn) Full() bool { return c.is(full) }

// fill stops reading above the high-water mark.
func (c *Conn) fill() {
	if c.Unsent() > c.h.highWater() {
		c.flags |= full
	}
}

// admits reports why n bytes cannot be written.
func (c *Conn) admits(n int) error {
	switch {
	case c.state > open || c.is(finishing):
		return os.ErrClosed
	case c.is(broken):
		return c.reason
	case c.is(packets) && n+packetCost > c.h.cap()-c.Unsent(), n > c.h.cap()-c.Unsent():
		return ErrFull
	}
	return nil
}

// put takes p. What is more than a chunk it sends at once, if that is possible.
func (c *Conn) put(p []byte) {
	if len(p) == 0 {
		return
	}
	c.touch()
	if c.out == nil && len(p) >= chunk || c.out != nil && len(p) > c.out.room() {
		p = c.sendNow(p)
		if len(p) == 0 || c.is(broken) {
			return
		}
	}
	if c.out == nil {
		c.out = c.loop.lend(c)
	}
	c.out.add(p)
}

// putPacket sends p, or keeps it behind those that wait.
func (c *Conn) putPacket(p []byte) (int, error) {
	k := &c.loop.kernel
	if len(p) == 0 {
		return 0, fmt.Errorf("epoll: an empty packet, which reads as the end: %w", os.ErrInvalid)
	}
	c.touch()
	if c.out == nil && c.sendable() {
		n, err := k.write(int(c.fd), p)
		if err == unix.EMSGSIZE {
			return 0, os.NewSyscallError("sendto", err)
		}
		c.took(n, len(p), err)
		if c.is(broken) {
			return 0, c.reason
		}
		if !c.is(blocked) {
			return len(p), nil
		}
	} else if len(p) > k.largest(int(c.fd)) {
		return 0, os.NewSyscallError("sendto", unix.EMSGSIZE)
	}
	if c.out == nil {
		c.out = new(output)
	}
	c.out.more = append(c.out.more, bytes.Clone(p))
	c.out.size += len(p) + packetCost
	c.fill()
	return len(p), nil
}

// sendable reports whether a write may get through.
func (c *Conn) sendable() bool {
	return c.state != aborting && c.flags&(connecting|blocked|broken) == 0
}

// sendNow writes what is unsent and p behind it, and returns the rest of p.
func (c *Conn) sendNow(p []byte) []byte {
	l := c.loop
	if c.out != nil && len(c.out.more) > 0 {
		c.send()
	}
	if o := c.out; o != nil && c.sendable() {
		before := o.size
		ps := append(l.segments[:0], o.buf[o.off:], p)
		n, err := l.kernel.writev(int(c.fd), ps)
		clear(ps)
		c.sent(min(n, before))
		c.took(n, before+len(p), err)
		p = p[max(n-before, 0):]
	}
	for len(p) > 0 && c.out == nil && c.sendable() {
		n, err := l.kernel.write(int(c.fd), p)
		c.took(n, len(p), err)
		p = p[n:]
	}
	return p
}

// send writes what is unsent, until nothing is or the kernel takes no more.
func (c *Conn) send() {
	for c.out != nil && c.sendable() {
		n, most, err := c.sendSome(c.out)
		c.sent(n)
		c.took(n, most, err)
	}
	if c.out != nil && c.is(blocked|connecting) {
		c.out = c.loop.outputs.shrink(c.out)
	}
}

// sendSome writes once, and returns how many bytes of how many.
func (c *Conn) sendSome(o *output) (n, most int, err unix.Errno) {
	l := c.loop
	switch {
	case c.is(packets):
		most = len(o.more[0])
		if n, err = l.kernel.write(int(c.fd), o.more[0]); n > 0 {
			o.size -= packetCost
		}
		return n, most, err
	case len(o.more) == 0:
		p := o.buf[o.off:]
		n, err = l.kernel.write(int(c.fd), p)
		return n, len(p), err
	}
	ps := o.segments(l.segments[:0], cap(l.segments))
	for _, p := range ps {
		most += len(p)
	}
	n, err = l.kernel.writev(int(c.fd), ps)
	clear(ps)
	return n, most, err
}

// sent forgets the first n bytes of what is unsent.
func (c *Conn) sent(n int) {
	if c.out.sent(n); c.out.size == 0 {
		c.drop()
	}
}

// took notes how a write of most bytes ended.
func (c *Conn) took(n, most int, err unix.Errno) {
	if n > 0 {
		c.progress()
	}
	switch {
	case err == unix.EAGAIN || err == 0 && n < most:
		c.flags |= blocked
	case err != 0:
		c.breaks(os.NewSyscallError("sendto", err))
	}
}

// breaks is an error after which nothing can be written. What the peer sent
// before it may be there to be read still.
func (c *Conn) breaks(err error) {
	if c.reason == nil {
		c.reason = err
	}
	c.flags |= broken | dirty
	c.flags &^= blocked
	c.drop()
}

// drop forgets what is unsent.
func (c *Conn) drop() {
	if c.out != nil {
		c.loop.outputs.give(c.out)
		c.out = nil
	}
}

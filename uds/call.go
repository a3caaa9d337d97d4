//go:build linux

package uds

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

// request says what one call sends, or where it receives to. A message in parts has
// them beside it, so that they need not be in the heap.
type request struct {
	p       []byte   // the bytes, unless there are parts
	control []byte   // control messages
	files   *files   // to be sent along, instead of control
	name    *address // destination, or where to put the source
	flags   int      // of a receive
}

// result is what came of a call.
type result struct {
	n     int        // bytes, also more than there was room for; or a descriptor
	end   bool       // nothing will come any more
	size  int        // bytes asked for
	came  int        // bytes of control messages
	marks int        // flags of recvmsg(2)
	errno unix.Errno // 0, EAGAIN, or an error
	err   error      // what errno says, in other words
}

// call is one system call that does not wait, repeated where it was interrupted,
// and for a Stream until all is sent.
type call struct {
	request
	result
	parts [][]byte  // of the message, if there are some
	one   [1][]byte // p as parts
	iov   []unix.Iovec
	head  unix.Msghdr
}

// set starts a call anew.
func (c *call) set(r *request, parts [][]byte) {
	c.request, c.result = *r, result{size: size(r.p, parts)}
	c.parts = append(c.parts[:0], parts...)
}

// drop lets go of the caller's memory.
func (c *call) drop() {
	c.request, c.one[0] = request{}, nil
	if cap(c.iov) > maxParts {
		c.iov, c.parts = nil, nil // once in a while, and not for each call to clear
	}
	clear(c.parts)
	clear(c.iov[:cap(c.iov)]) // also what an earlier round of this call had
	c.head = unix.Msghdr{}
}

// plain reports whether the bytes of p are all there is.
func (c *call) plain() bool {
	return len(c.parts) == 0 && c.control == nil && c.files == nil && c.name == nil
}

// size returns the bytes of a message.
func size(p []byte, parts [][]byte) int {
	n := len(p)
	for _, b := range parts {
		n += len(b)
	}
	return n
}

// send sends what is left to send.
func (c *call) send(fd int, kind Kind) {
	for {
		n, e := c.sendOnce(fd, kind)
		if e == unix.EINTR {
			continue
		}
		c.errno = e
		if e != 0 {
			return
		}
		c.n += n
		if kind != Stream || c.n >= c.result.size {
			return
		}
		c.control, c.files = nil, nil // went with the first byte
	}
}

func (c *call) sendOnce(fd int, kind Kind) (int, unix.Errno) {
	if c.plain() {
		return rawSend(fd, c.p[c.n:])
	}
	if c.files == nil {
		return c.sendMessage(fd, kind)
	}
	n, e := 0, unix.EBADF
	c.err = c.files.hold(func(control []byte) {
		c.control = control
		n, e = c.sendMessage(fd, kind)
		c.control = nil
	})
	return n, e
}

func (c *call) sendMessage(fd int, kind Kind) (int, unix.Errno) {
	limit := math.MaxInt // of a message that has more parts nothing may be left out
	if kind == Stream {
		limit = maxParts
	}
	size := c.message(c.n, limit)
	return rawSendMessage(fd, &c.head, size)
}

// maxParts is the number of parts that the kernel takes in one call. See
// sendmsg(2), EMSGSIZE.
const maxParts = 1024

// message fills the head for the bytes from skip on, in limit parts at most, and
// returns the number of these bytes.
func (c *call) message(skip, limit int) (size int) {
	parts := c.parts
	if len(parts) == 0 {
		c.one[0] = c.p
		parts = c.one[:]
	}
	c.iov, size = setIovecs(&c.head, c.iov, parts, skip, limit)
	setControl(&c.head, c.control)
	setName(&c.head, c.name)
	return size
}

// receive receives once.
func (c *call) receive(fd int, kind Kind) {
	flags := c.flags
	if kind != Stream {
		flags |= unix.MSG_TRUNC // on a Stream it would discard
	}
	for reset := false; ; {
		c.n, c.errno = c.receiveOnce(fd, flags)
		switch {
		case c.errno == unix.EINTR:
			continue
		case c.errno == unix.ECONNRESET && kind == SeqPacket && !reset:
			// The peer closed with input unread. What it had sent before is still
			// to be had, behind this error.
			reset = true
			continue
		}
		// Control messages come with a message. (A Stream's credentials come with its
		// end, too, but it has no empty messages.)
		message := kind == SeqPacket && c.came > 0
		c.end = c.errno == 0 && c.n == 0 && !message && atEnd(fd, kind, c.result.size)
		return
	}
}

// atEnd reports whether a call that received 0 bytes into a buffer of the given size
// has met the end. A message may have 0 bytes, too: the kernel does not say what it
// was. On a SeqPacket it was one if the peer is there still, or if bytes follow it.
func atEnd(fd int, kind Kind, size int) bool {
	if kind == Datagram || kind == Stream && size == 0 {
		return false
	}
	if kind == Stream {
		return true
	}
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(set, 0)
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Poll(set, 0)
	}
	if n == 0 {
		return false
	}
	follow, _ := unix.IoctlGetUint32(fd, unix.SIOCINQ) // of all messages
	return follow == 0
}

func (c *call) receiveOnce(fd, flags int) (int, unix.Errno) {
	if c.plain() {
		return rawReceive(fd, c.p, flags)
	}
	size := c.message(0, maxParts)
	if c.name != nil {
		c.head.Namelen = uint32(family + MaxName)
	}
	n, e := rawReceiveMessage(fd, &c.head, size, flags)
	if e != 0 {
		return n, e // the head still says what there was room for
	}
	c.came, c.marks = int(c.head.Controllen), int(c.head.Flags)
	if c.name != nil {
		c.name.size = c.head.Namelen
	}
	return n, e
}

// accept accepts a connection; its descriptor is n.
func (c *call) accept(fd int, _ Kind) {
	for {
		n, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		c.n, c.errno = n, 0
		if err != nil {
			errors.As(err, &c.errno)
		}
		return
	}
}

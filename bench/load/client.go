//go:build linux

package load

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A Load is what a Client does.
type Load struct {
	Conns    int // that send requests
	Size     int // bytes of a request, 12 at least
	Pipeline int // requests of a connection that are unanswered at a time
	Idle     int // further connections, which send nothing
}

// String returns the three numbers that loads differ in.
func (l Load) String() string { return fmt.Sprintf("%d:%d:%d", l.Conns, l.Size, l.Pipeline) }

// stall is how long nothing may come back from a server.
const stall = 20 * time.Second

// A Client gives load to a server that sends back what it gets, and verifies what
// it sends. It is used by one goroutine, one Client at a time.
type Client struct {
	load    Load
	poller  *epoll.Poller
	events  []epoll.Event
	stream  *stream
	conns   []conn // the idle ones last
	in, out []byte
	begun   time.Time
	now     int64 // nanoseconds since begun
	total   int   // requests answered
	told    int   // of these, by Next
	quiet   bool  // no further requests
	times   histogram
	undo    func()
}

// A conn is a connection of a Client. What it gets is stream id; so is what it
// sends.
type conn struct {
	fd       int
	id       uint32
	sent     int64 // bytes
	received int64
	allowed  int64   // bytes that may be sent
	began    []int64 // when a request was sent, by its number modulo the length
	blocked  bool    // the kernel takes no more
}

// buffer is what a Client reads and writes at most at once.
const buffer = 256 << 10 // bytes

// Dial connects to p, and moves this process to the client's processor until
// Close.
func Dial(p *Process, l Load) (*Client, error) {
	s, err := newStream(l.Size)
	if err != nil {
		return nil, err
	}
	poller, err := epoll.NewPoller(epoll.Block)
	if err != nil {
		return nil, err
	}
	c := &Client{
		load:   l,
		poller: poller,
		events: make([]epoll.Event, 256),
		stream: s,
		in:     make([]byte, buffer),
		out:    make([]byte, buffer),
		begun:  time.Now(),
		undo:   move(p.here),
	}
	for i := range l.Conns + l.Idle {
		fd, err := connect(p.addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("load: connection %d: %w", i, err), c.Close())
		}
		c.conns = append(c.conns, conn{fd: fd, id: uint32(i), began: make([]int64, l.Pipeline)})
		err = poller.Add(fd, uint32(i), watched)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// connect returns a connection that is non-blocking.
func connect(sa unix.Sockaddr) (int, error) {
	domain := unix.AF_INET
	if _, ok := sa.(*unix.SockaddrUnix); ok {
		domain = unix.AF_UNIX
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	quick(fd)
	if err := errors.Join(unix.Connect(fd, sa), unix.SetNonblock(fd, true)); err != nil {
		_ = unix.Close(fd) // nobody has it
		return -1, os.NewSyscallError("connect", err)
	}
	return fd, nil
}

// Close closes all connections, whatever is unanswered.
func (c *Client) Close() error {
	c.undo()
	errs := []error{c.poller.Close()}
	for i := range c.conns {
		errs = append(errs, os.NewSyscallError("close", unix.Close(c.conns[i].fd)))
	}
	return errors.Join(errs...)
}

// Begin has all connections send what may be unanswered, and go on when it is
// answered, until Finish.
func (c *Client) Begin() error {
	c.quiet = false
	for i := range c.conns[:c.load.Conns] {
		k := &c.conns[i]
		k.allowed += int64(c.load.Pipeline * c.load.Size)
		if err := c.send(k); err != nil {
			return err
		}
	}
	return nil
}

// Next returns when one more request has been answered.
func (c *Client) Next() error {
	for c.told == c.total {
		if err := c.step(); err != nil {
			return err
		}
	}
	c.told++
	return nil
}

// Finish sends no more requests, and returns when all are answered.
func (c *Client) Finish() error {
	c.quiet = true
	for i := range c.conns {
		for k := &c.conns[i]; k.received < k.allowed; {
			if err := c.step(); err != nil {
				return err
			}
		}
	}
	c.told = c.total
	return nil
}

// Run gives load for a time, finishes, and returns the number of requests.
func (c *Client) Run(d time.Duration) (requests int, err error) {
	before := c.total
	if err := c.Begin(); err != nil {
		return 0, err
	}
	c.clock()
	for end := c.now + int64(d); c.now < end; {
		if err := c.step(); err != nil {
			return 0, err
		}
	}
	err = c.Finish()
	return c.total - before, err
}

// Warm has as many requests answered as can be unanswered, and forgets them.
func (c *Client) Warm() error {
	_, err := c.Run(0)
	c.total, c.told, c.times = 0, 0, histogram{}
	return err
}

// Answered returns how many requests have been answered since Warm.
func (c *Client) Answered() int { return c.total }

// Quantile returns the nanoseconds that a part q of the requests since Warm did not
// exceed, from before the write of the first byte to behind the read of the last.
func (c *Client) Quantile(q float64) float64 { return c.times.quantile(q) }

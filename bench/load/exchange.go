//go:build linux

package load

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// step waits for what is ready, and does it.
func (c *Client) step() error {
	end := c.begun.Add(time.Duration(c.now) + stall)
	n, err := c.poller.Wait(c.events, end)
	if err != nil {
		return err
	}
	if n == 0 && !time.Now().Before(end) {
		return fmt.Errorf("load: nothing has come back for %v", stall)
	}
	for _, e := range c.events[:n] {
		k := &c.conns[e.Gen]
		if e.Events&^epoll.Writable != 0 {
			if err := c.receive(k, e.Events); err != nil {
				return err
			}
		}
		if k.blocked && e.Events&epoll.Writable != 0 {
			k.blocked = false
			if err := c.send(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// Of a connection a Client hears once for each change, and of an end that came
// with bytes never again.
const (
	watched = epoll.Readable | epoll.Writable | epoll.ReadHangup | epoll.EdgeTriggered
	hangup  = epoll.ReadHangup | epoll.Hangup | epoll.Failed
)

// clock takes the time, once for all the requests of a system call.
func (c *Client) clock() { c.now = int64(time.Since(c.begun)) }

// receive takes what has come back, and answers it with further requests.
func (c *Client) receive(k *conn, e epoll.Events) error {
	for {
		n, err := unix.Read(k.fd, c.in)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return os.NewSyscallError("read", err)
		case n == 0:
			return fmt.Errorf("load: a connection ended behind %d of %d bytes", k.received, k.sent)
		}
		c.clock()
		if err := c.stream.verify(c.in[:n], k.id, k.received); err != nil {
			return err
		}
		c.answered(k, int64(n))
		if err := c.send(k); err != nil {
			return err
		}
		if n < len(c.in) && e&hangup == 0 {
			return nil
		}
	}
}

// answered counts the requests that n further bytes complete.
func (c *Client) answered(k *conn, n int64) {
	size, window := int64(c.stream.size), int64(len(k.began))
	i := k.received / size
	k.received += n
	for end := k.received / size; i < end; i++ {
		c.times.add(c.now - k.began[i%window])
		c.total++
		if !c.quiet {
			k.allowed += size
		}
	}
}

// send writes what may be sent, until the kernel takes no more.
func (c *Client) send(k *conn) error {
	size, window := int64(c.stream.size), int64(len(k.began))
	for k.sent < k.allowed && !k.blocked {
		p := c.out[:min(int64(len(c.out)), k.allowed-k.sent)]
		c.stream.fill(p, k.id, k.sent)
		c.clock()
		n, err := unix.Write(k.fd, p)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			k.blocked = true
			return nil
		case err != nil:
			return os.NewSyscallError("write", err)
		}
		end := k.sent + int64(n)
		for i := (k.sent + size - 1) / size; i*size < end; i++ {
			k.began[i%window] = c.now
		}
		k.sent = end
	}
	return nil
}

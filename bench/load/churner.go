//go:build linux

package load

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A Churner connects, sends one request, and closes when that is answered, again
// and again.
type Churner struct {
	*Client
	addr unix.Sockaddr
	gone int // connections that Next has not told of
}

// DialChurner returns a Churner that has so many connections at a time. Otherwise
// it is as Dial.
func DialChurner(p *Process, conns, size int) (*Churner, error) {
	c, err := Dial(p, Load{Conns: conns, Size: size, Pipeline: 1})
	if err != nil {
		return nil, err
	}
	return &Churner{Client: c, addr: p.addr}, nil
}

// Begin has all connections send their request.
func (c *Churner) Begin() error {
	err := c.Client.Begin()
	c.quiet = true
	return err
}

// Next returns when one more connection has been answered and closed, and another
// one has taken its place.
func (c *Churner) Next() error {
	for c.gone == 0 {
		if err := c.step(); err != nil {
			return err
		}
		for i := range c.conns {
			if k := &c.conns[i]; k.received == k.allowed {
				if err := c.renew(k, uint32(i)); err != nil {
					return err
				}
				c.gone++
			}
		}
	}
	c.gone--
	return nil
}

// renew closes k, and has another connection take its place. If there is none, k
// stays as it is.
func (c *Churner) renew(k *conn, place uint32) error {
	fd, err := connect(c.addr)
	if err != nil {
		return err
	}
	old := k.fd
	k.fd, k.id = fd, k.id+uint32(len(c.conns))
	err = errors.Join(c.poller.Remove(old), os.NewSyscallError("close", unix.Close(old)))
	if err != nil {
		return err
	}
	k.sent, k.received, k.blocked = 0, 0, false
	if err := c.poller.Add(fd, place, watched); err != nil {
		return err
	}
	return c.send(k)
}

// Churn is a benchmark of a server that listens on TCP: an operation is a
// connection that comes, sends a request of 64 bytes, and goes when it is
// answered.
func Churn(b *testing.B, server string, conns int) {
	b.Helper()
	p := launch(b, server, "tcp")
	c, err := DialChurner(p, conns, 64)
	if err != nil {
		b.Fatal(err)
	}
	closing(b, c)
	m := begin(b, p, c.Client)
	repeat(b, c)
	m.report(b, "conn")
}

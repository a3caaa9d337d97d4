//go:build linux

package load

import (
	"errors"
	"testing"
)

// A Broadcast is a Client of a server that sends what it gets to everybody.
type Broadcast struct{ *Client }

// DialBroadcast connects to p so many times. Otherwise it is as Dial.
func DialBroadcast(p *Process, conns, size int) (Broadcast, error) {
	c, err := Dial(p, Load{Conns: conns, Size: size, Pipeline: 1})
	if err != nil {
		return Broadcast{}, err
	}
	c.quiet = true
	if _, err := p.CPU(); err != nil { // it has accepted everybody when it rests
		return Broadcast{}, errors.Join(err, c.Close())
	}
	for i := range c.conns {
		c.conns[i].id = 0 // what the first one sends
		c.conns[i].began = c.conns[0].began
	}
	return Broadcast{c}, nil
}

// Next sends one request, and returns when everybody has got it.
func (b Broadcast) Next() error {
	k := &b.conns[0]
	k.allowed += int64(b.stream.size)
	if err := b.send(k); err != nil {
		return err
	}
	for end := b.total + len(b.conns); b.total < end; {
		if err := b.step(); err != nil {
			return err
		}
	}
	return nil
}

// Everybody is a benchmark of a server that broadcasts: an operation is a message
// to all of conns connections, and metrics are for each of these.
func Everybody(b *testing.B, server, network string, conns, size int) {
	b.Helper()
	room(b, conns)
	p := launch(b, server, network)
	c, err := DialBroadcast(p, conns, size)
	if err != nil {
		b.Fatal(err)
	}
	closing(b, c)
	m := begin(b, p, c.Client)
	for b.Loop() {
		if err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
	m.report(b, "msg")
}

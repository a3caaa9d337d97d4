//go:build linux

package load

import (
	"context"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// Servers returns those that need nothing but this module:
//
//	ours          a Loop that answers with what it reads
//	ours-block    the same, waiting in epoll_wait(2)
//	framed        a Loop that cuts frames, and answers each with a Write
//	framed-block  the same, waiting in epoll_wait(2)
//	broadcast     a Loop that sends what it reads to everybody
//	floor         a bare loop that answers with what it reads, at the least cost
//	floor-plain   the same by unix.Read, unix.Write and unix.EpollWait alone
func Servers() map[string]Server {
	return map[string]Server{
		"ours":         looped(epoll.Park, whole),
		"ours-block":   looped(epoll.Block, whole),
		"framed":       looped(epoll.Park, framed),
		"framed-block": looped(epoll.Block, framed),
		"broadcast":    looped(epoll.Park, broadcast),
		"floor":        bottom(bare()),
		"floor-plain":  bottom(plain()),
	}
}

// looped returns the Server of one Loop.
func looped(w epoll.Waiting, handler func() (*epoll.Handler, error)) Server {
	return func(ln int, ready func()) error {
		h, err := handler()
		if err != nil {
			return err
		}
		l, err := epoll.New(&epoll.Options{Waiting: w})
		if err != nil {
			return err
		}
		if _, err := l.Listen(ln, h, nil); err != nil {
			return err
		}
		ready()
		return l.Run(context.Background())
	}
}

// whole answers with what was read.
func whole() (*epoll.Handler, error) {
	return &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
		_, err := c.Write(p)
		return err
	}}, nil
}

// framed answers frame by frame.
func framed() (*epoll.Handler, error) {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		return nil, err
	}
	return &epoll.Handler{
		Opened: func(c *epoll.Conn) error {
			c.State = framing.NewDecoder(codec)
			return nil
		},
		Data: func(c *epoll.Conn, p []byte) error {
			for frame, err := range c.State.(*framing.Decoder).Frames(p) {
				if err != nil {
					return err
				}
				if _, err := c.Write(frame); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}

// broadcast sends what was read to everybody.
func broadcast() (*epoll.Handler, error) {
	return &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
		for other := range c.Loop().Conns() {
			if _, err := other.Write(p); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

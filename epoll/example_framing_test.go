//go:build linux

package epoll_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/framing"
)

// Lines come back whole, however they arrive. One Codec serves all connections;
// the Decoder of each, in its State, keeps what it has of a line.
func Example_framing() {
	lines, err := eof.New("\r\n")
	check(err)
	loop, err := epoll.New(nil)
	check(err)

	h := lineHandler(lines)
	h.Closed = func(c *epoll.Conn, reason error) {
		fmt.Println("closed:", reason)
	}
	ln, addr := serveTCP(loop, h, nil)

	replies := make(chan string, 2)
	go func() {
		replies <- ask(dial(addr), "one\r\ntwo\r\n")
		replies <- ask(dial(addr), "three\r\nand a ha")
		_ = loop.Post(func() { // a Listener is for the Loop's goroutine
			check(ln.Close())
			loop.Drain(nil) // Run returns when the last connection is closed
		})
	}()
	check(loop.Run(context.Background()))
	fmt.Printf("%q\n%q\n", <-replies, <-replies)
	// Output:
	// closed: EOF
	// closed: unexpected EOF
	// "one\r\ntwo\r\n"
	// "three\r\n"
}

// maxLine is the limit on a line, in bytes.
const maxLine = 512

// lineHandler returns a Handler that echoes lines.
func lineHandler(lines *eof.Codec) *epoll.Handler {
	return &epoll.Handler{
		Opened: func(c *epoll.Conn) error {
			d := framing.NewDecoder(lines)
			d.Max = maxLine
			c.State = d
			return nil
		},
		Data: func(c *epoll.Conn, p []byte) error {
			for line, err := range c.State.(*framing.Decoder).Frames(p) {
				if err != nil {
					return err // a line that is too long; it closes the connection
				}
				if _, err := c.Write(line); err != nil {
					return err
				}
			}
			return nil
		},
		EOF: func(c *epoll.Conn) error {
			if err := c.State.(*framing.Decoder).Close(); err != nil {
				return err // the stream ends inside a line
			}
			return c.CloseWrite()
		},
		Limits: &epoll.Limits{Frame: maxLine},
	}
}

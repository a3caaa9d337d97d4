//go:build linux

package epoll_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// A client sends three requests at once. Each gets a reply of its own, and the
// three leave in one system call, when Data returns.
func Example_lengthfield() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	check(err)
	loop, err := epoll.New(nil)
	check(err)
	h := capitals(codec)
	data := h.Data
	h.Data = func(c *epoll.Conn, p []byte) error {
		err := data(c, p)
		fmt.Println(c.Unsent(), "bytes leave together")
		return err
	}
	_, addr := serveTCP(loop, h, nil)

	go func() {
		defer loop.Stop()
		client := dial(addr)
		reply := exchange(client, "\x00\x00\x00\x03one\x00\x00\x00\x03two\x00\x00\x00\x05three")
		fmt.Printf("%q\n", reply)
		check(client.Close())
	}()
	check(loop.Run(context.Background()))
	// Output:
	// 23 bytes leave together
	// "\x00\x00\x00\x03ONE\x00\x00\x00\x03TWO\x00\x00\x00\x05THREE"
}

// capitals returns a Handler that sends each payload back in capitals.
func capitals(codec *lengthfield.Codec) *epoll.Handler {
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
				reply, err := codec.AppendFrame(nil, bytes.ToUpper(codec.Payload(frame)))
				if err != nil {
					return err
				}
				if _, err := c.Write(reply); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

//go:build linux

package epoll_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/plait-go/plait/epoll"
)

// One port for TLS and for what is not encrypted. The first byte tells which it
// is; the bytes that were read to see it go with the connection.
func ExampleConn_Detach_bytesRead() {
	server, client := configs()
	loop, err := epoll.New(nil)
	check(err)
	b := &both{server, make(chan error, 1)}
	_, addr := serveTCP(loop, &epoll.Handler{Data: b.data}, nil)

	replies := make(chan string, 2)
	go func() {
		defer loop.Stop()
		replies <- ask(dial(addr), "no secret")
		replies <- ask(tls.Client(dial(addr), client), "a secret")
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-replies)
	fmt.Println(<-replies, <-b.served)
	// Output:
	// no secret
	// a secret <nil>
}

// both serves with and without TLS.
type both struct {
	config *tls.Config
	served chan error // how it ended with TLS
}

func (b *both) data(c *epoll.Conn, p []byte) error {
	const handshake = 22 // RFC 8446 §5.1
	if c.State != nil || p[0] != handshake {
		c.State = "no TLS"
		_, err := c.Write(p)
		return err
	}
	conn, err := detach(c)
	if err != nil {
		return err
	}
	conn = &replay{conn, bytes.Clone(p)} // p is valid until data returns
	go func() { b.served <- echoTLS(conn, b.config) }()
	return nil
}

// A replay is a connection of which something has been read already.
type replay struct {
	net.Conn
	read []byte
}

// Read returns what has been read, and then what comes.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.read) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.read)
	r.read = r.read[n:]
	return n, nil
}

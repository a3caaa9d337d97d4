//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Client and server on one Loop, which is drained from the beginning: Run returns
// when neither has anything left to do.
func ExampleLoop_Dial() {
	loop, err := epoll.New(nil)
	check(err)
	ln, addr := serveTCP(loop, &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
		_, err := c.Write(p)
		return err
	}}, nil)

	_, err = loop.Dial(sockaddr(addr), &epoll.Handler{
		Opened: func(c *epoll.Conn) error {
			_, err := c.Write([]byte("hello"))
			return errors.Join(err, c.CloseWrite()) // nothing follows
		},
		Data: func(_ *epoll.Conn, p []byte) error {
			fmt.Printf("%s\n", p)
			return nil
		},
		Closed: func(_ *epoll.Conn, reason error) {
			fmt.Println("closed:", reason)
			check(ln.Close())
		},
	})
	check(err)
	loop.Drain(nil)
	check(loop.Run(context.Background()))
	// Output:
	// hello
	// closed: EOF
}

// That nobody is there comes through Closed, as any end of a connection does.
func ExampleLoop_Dial_refused() {
	loop, err := epoll.New(nil)
	check(err)
	h := &epoll.Handler{Closed: func(_ *epoll.Conn, reason error) {
		fmt.Println(errors.Is(reason, unix.ENOENT), reason)
	}}
	_, err = loop.Dial(&unix.SockaddrUnix{Name: "/nobody/listens/here"}, h)
	check(err)
	loop.Drain(nil)
	check(loop.Run(context.Background()))
	// Output: true connect: no such file or directory
}

// sockaddr returns an address of package net as system calls take it.
func sockaddr(addr net.Addr) unix.Sockaddr {
	a := addr.(*net.TCPAddr).AddrPort()
	return &unix.SockaddrInet4{Addr: a.Addr().Unmap().As4(), Port: int(a.Port())}
}

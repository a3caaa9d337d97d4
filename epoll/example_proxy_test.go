//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A proxy reads from one side no faster than the other side takes it. Here the
// server takes nothing until the client is made to wait.
func ExampleConn_Pause() {
	dir, err := os.MkdirTemp("", "proxy")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "server")
	server, err := net.Listen("unix", path)
	check(err)
	loop, err := epoll.New(nil)
	check(err)
	p := &proxy{server: &unix.SockaddrUnix{Name: path}, waits: make(chan struct{})}
	_, addr := serveTCP(loop, p.front(), nil)

	reply := make(chan string, 1)
	go count(server, p.waits)
	go func() {
		defer loop.Stop()
		reply <- ask(dial(addr), strings.Repeat("x", 4<<20))
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-reply)
	// Output: after the wait 4194304 bytes
}

// A proxy connects each of its clients with a server.
type proxy struct {
	server unix.Sockaddr
	waits  chan struct{} // closed when somebody is made to wait
	once   sync.Once     // closes it
}

// front returns the Handler of the clients' side, whose State is the other side.
func (p *proxy) front() *epoll.Handler {
	h := p.side()
	h.Opened = func(c *epoll.Conn) error {
		server, err := c.Loop().Dial(p.server, p.side())
		if err != nil {
			return err
		}
		c.State, server.State = server, c
		return nil
	}
	return h
}

// side returns what both sides have in common.
func (p *proxy) side() *epoll.Handler {
	return &epoll.Handler{
		Data:    p.forward,
		EOF:     func(c *epoll.Conn) error { return other(c).CloseWrite() },
		Drained: resume,
		Closed: func(c *epoll.Conn, reason error) {
			if other(c) != nil {
				_ = other(c).Close(reason) // or it is closed already
			}
		},
	}
}

// forward passes on what has been read from c, which waits if that was too much.
// The other side may still be connecting.
func (p *proxy) forward(c *epoll.Conn, data []byte) error {
	_, err := other(c).Write(data)
	if other(c).Full() {
		c.Pause()
		p.once.Do(func() { close(p.waits) })
	}
	return err
}

// resume has c's other side read again.
func resume(c *epoll.Conn) error {
	other(c).Resume()
	return nil
}

// other returns the other side of c, or nil.
func other(c *epoll.Conn) *epoll.Conn {
	side, _ := c.State.(*epoll.Conn)
	return side
}

// count is a server for one client, which it tells how much it has sent.
func count(ln net.Listener, begin <-chan struct{}) {
	conn, err := ln.Accept()
	check(err)
	check(ln.Close())
	<-begin
	n, err := io.Copy(io.Discard, conn)
	check(err)
	_, err = fmt.Fprintf(conn, "after the wait %d bytes", n)
	check(err)
	check(conn.Close())
}

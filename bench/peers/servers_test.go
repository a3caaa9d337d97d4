//go:build linux

package peers_test

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/cloudwego/netpoll"
	"github.com/lesismal/nbio"
	nbiolog "github.com/lesismal/nbio/logging"
	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/bench/load"
)

// servers are the peers, and those that are measured against them.
func servers() map[string]load.Server {
	all := load.Servers()
	all["std"] = std
	all["netpoll"] = serveNetpoll
	all["gnet"] = serveGnet
	all["nbio"] = serveNbio
	return all
}

// buffer is what the servers read at most at once that leave it to the caller.
const buffer = 64 << 10 // bytes

// std has a goroutine for each connection.
func std(fd int, ready func()) error {
	ln, err := adopt(fd)
	if err != nil {
		return err
	}
	ready()
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go copyBack(c) // until the client closes
	}
}

func copyBack(c net.Conn) {
	defer func() { _ = c.Close() }() // the client notices what is missing
	p := make([]byte, buffer)
	for {
		n, err := c.Read(p)
		if err != nil {
			return
		}
		if _, err := c.Write(p[:n]); err != nil {
			return
		}
	}
}

// adopt returns the listener of a descriptor.
func adopt(fd int) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), "listener")
	ln, err := net.FileListener(f)
	return ln, errors.Join(err, f.Close())
}

func serveNetpoll(fd int, ready func()) error {
	ln, err := adopt(fd)
	if err != nil {
		return err
	}
	if err := netpoll.Configure(netpoll.Config{PollerNum: 1}); err != nil {
		return err
	}
	l, err := netpoll.NewEventLoop(func(_ context.Context, c netpoll.Connection) error {
		p, err := c.Reader().Next(c.Reader().Len())
		if err != nil {
			return err
		}
		if _, err := c.Writer().WriteBinary(p); err != nil {
			return err
		}
		return errors.Join(c.Writer().Flush(), c.Reader().Release())
	})
	if err != nil {
		return err
	}
	time.AfterFunc(10*time.Millisecond, ready) // it does not tell; the backlog holds who comes earlier
	return l.Serve(ln)
}

// An echoer is a gnet.EventHandler.
type echoer struct {
	gnet.BuiltinEventEngine
	ready func()
}

func (e *echoer) OnBoot(gnet.Engine) gnet.Action {
	e.ready()
	return gnet.None
}

// OnOpen has c send as the other servers' connections do, which have it from a
// listening socket that gnet does not take.
func (e *echoer) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	_ = unix.SetsockoptString(c.Fd(), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
	return nil, gnet.None
}

func (e *echoer) OnTraffic(c gnet.Conn) gnet.Action {
	p, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(p); err != nil {
		return gnet.Close
	}
	return gnet.None
}

func serveGnet(fd int, ready func()) error {
	ln, err := adopt(fd)
	if err != nil {
		return err
	}
	addr := ln.Addr()
	if err := ln.Close(); err != nil {
		return err
	}
	return gnet.Run(&echoer{ready: ready}, addr.Network()+"://"+addr.String(),
		gnet.WithMulticore(false), gnet.WithTCPNoDelay(gnet.TCPNoDelay))
}

func serveNbio(fd int, ready func()) error {
	ln, err := adopt(fd)
	if err != nil {
		return err
	}
	nbiolog.SetLevel(nbiolog.LevelNone)
	e := nbio.NewEngine(nbio.Config{
		Network:        ln.Addr().Network(),
		Addrs:          []string{ln.Addr().String()},
		Listen:         func(string, string) (net.Listener, error) { return ln, nil },
		NPoller:        1,
		ReadBufferSize: buffer,
	})
	e.OnData(func(c *nbio.Conn, p []byte) {
		if _, err := c.Write(p); err != nil {
			_ = c.Close() // the client notices
		}
	})
	if err := e.Start(); err != nil {
		return err
	}
	ready()
	select {} // it runs on goroutines of its own
}

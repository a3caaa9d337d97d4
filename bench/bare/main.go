//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// Sizes in bytes.
const (
	turn     = 256 << 10 // of a read
	longest  = 128 << 10 // frame
	envelope = 8         // connection and length, both 32 bits
)

func main() {
	userprocess.Main(userprocess.Roles{"worker": work})
	addr := flag.String("addr", "127.0.0.1:9501", "listen on `HOST:PORT`")
	workers := flag.Int("workers", 2, "`NUMBER` of workers")
	flag.Parse()
	if err := serve(*addr, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1) //nolint:forbidigo // a program
	}
}

// serve serves until something fails.
func serve(addr string, workers int) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fd, err := epoll.Duplicate(l.(*net.TCPListener))
	if err != nil {
		return err
	}
	m, err := newMaster(fd)
	if err != nil {
		return err
	}
	for range workers {
		lane, err := start()
		if err != nil {
			return err
		}
		e := &end{fd: lane, lane: true}
		m.lanes = append(m.lanes, e)
		m.watch(e)
	}
	fmt.Println("listening on", l.Addr()) //nolint:forbidigo // a program
	runtime.LockOSThread()                // for good
	return m.run()
}

// start starts a worker, and returns the master's end of its lane.
func start() (int, error) {
	command := userprocess.Command{Role: "worker", Pipe: uds.Stream}
	p, err := command.Start(context.Background())
	if err != nil {
		return 0, err
	}
	s, err := p.Pipe().Detach()
	if err != nil {
		return 0, err
	}
	_, err = s.SetBuffers(8<<20, 0)
	return s.Release(), err
}

// work is the role of a worker: it answers all whole envelopes of a read, each with
// itself, in one write.
func work(_ context.Context, c *userprocess.Child) error {
	conn, err := c.Pipe()
	if err != nil {
		return err
	}
	s, err := conn.Detach()
	if err != nil {
		return err
	}
	if _, err := s.SetBuffers(8<<20, 0); err != nil {
		return err
	}
	fd := s.Release()
	if err := unix.SetNonblock(fd, false); err != nil {
		return err
	}
	runtime.LockOSThread() // for good
	in, have := make([]byte, turn+longest), 0
	var out []byte
	for {
		n, err := unix.Read(fd, in[have:])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return err
		}
		p := in[:have+n]
		for out = out[:0]; len(p) >= envelope && len(p) >= envelope+length(p); {
			n := envelope + length(p)
			out = append(out, p[:n]...)
			p = p[n:]
		}
		have = copy(in, p)
		for p := out; len(p) > 0; {
			n, err := unix.Write(fd, p)
			if err != nil && err != unix.EINTR {
				return err
			}
			p = p[max(n, 0):]
		}
	}
}

//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// When descriptors run out, the Loop stays up and idle, says so once, and serves
// everybody once there are some. Reactors end there, spin, or drop who waits.
func TestDescriptorsRunOut(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		c := startChild(t, "starve", w)
		for range 2 {
			c.wait(t)
		}
	})
}

// An episode that ends with the last descriptor is over as well: the next one is
// told of.
func TestDescriptorsRunOutWithTheBacklog(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) { startChild(t, "starve at the edge", w).wait(t) })
}

// A hunger is an echo server in a process that lacks descriptors, and its clients.
type hunger struct {
	loop    *epoll.Loop
	ended   chan error
	paused  chan error
	address unix.Sockaddr
	clients []int
	limit   unix.Rlimit // as it was
}

func newHunger(l *epoll.Loop) (*hunger, error) {
	g := &hunger{loop: l, ended: make(chan error, 1), paused: make(chan error, 1000)}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 256)
	}
	if err == nil {
		g.address, err = unix.Getsockname(fd)
	}
	if err == nil {
		err = unix.Getrlimit(unix.RLIMIT_NOFILE, &g.limit)
	}
	if err == nil {
		_, err = l.Listen(fd, &epoll.Handler{Data: echo}, &epoll.ListenOptions{Paused: func(err error) { g.paused <- err }})
	}
	if err != nil {
		return nil, err
	}
	go func() { g.ended <- l.Run(context.Background()) }()
	return g, tell()
}

// connect has n clients connect and write, where there are descriptors for spare
// of them.
func (g *hunger) connect(n, spare int) error {
	g.clients = g.clients[:0]
	last := 0
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		last = max(last, fd)
		g.clients = append(g.clients, fd)
	}
	limit := g.limit
	limit.Cur = uint64(last + 1 + spare)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for _, fd := range g.clients {
		patience := unix.NsecToTimeval(int64(patience))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
			return err
		}
		if err := unix.Connect(fd, g.address); err != nil {
			return err
		}
		if _, err := unix.Write(fd, []byte("?")); err != nil {
			return err
		}
	}
	return g.report()
}

// report waits for Paused, which is to be called with EMFILE.
func (g *hunger) report() error {
	select {
	case err := <-g.paused:
		if !errors.Is(err, unix.EMFILE) {
			return fmt.Errorf("paused with %w, want EMFILE", err)
		}
		return nil
	case err := <-g.ended:
		return fmt.Errorf("the loop has ended: %w", err)
	case <-time.After(patience):
		return errors.New("nobody says that descriptors have run out")
	}
}

// served reads a client's answer.
func served(fd int) error {
	if n, err := unix.Read(fd, make([]byte, 1)); n != 1 || err != nil {
		return fmt.Errorf("a client got %d bytes, %w; want 1", n, err)
	}
	return nil
}

// leave has the clients close who are left, and waits until the server has noticed.
func (g *hunger) leave() error {
	for _, fd := range g.clients {
		if err := unix.Close(fd); err != nil {
			return err
		}
	}
	for deadline := time.Now().Add(patience); g.loop.Len() > 0; {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d Conns, want 0", g.loop.Len())
		}
		runtime.Gosched()
	}
	if n := len(g.paused); n > 0 {
		return fmt.Errorf("Paused called %d times more", n)
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &g.limit)
}

// idle waits a fifth of a second, in which the process may compute for half of
// that: a loop that spins takes all of it.
func idle() error {
	used := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	const wait = 200 * time.Millisecond
	before := used()
	<-time.After(wait)
	if d := used() - before; d > wait/2 {
		return fmt.Errorf("%v of processor time in %v without descriptors", d, wait)
	}
	return nil
}

// starve is a child with 100 clients and descriptors for some, twice.
func starve(l *epoll.Loop) error {
	g, err := newHunger(l)
	if err != nil {
		return err
	}
	for episode := range 2 {
		if err := g.connect(100, 9); err != nil {
			return fmt.Errorf("episode %d: %w", episode+1, err)
		}
		if err := idle(); err != nil {
			return err
		}
		for i, fd := range g.clients {
			if err := served(fd); err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			if err := unix.Close(fd); err != nil {
				return err
			}
		}
		g.clients = g.clients[:0]
		if err := g.leave(); err != nil {
			return err
		}
		if err := tell(); err != nil {
			return err
		}
	}
	l.Stop()
	return <-g.ended
}

// starveAtTheEdge is a child with two clients and a descriptor for one, twice.
func starveAtTheEdge(l *epoll.Loop) error {
	g, err := newHunger(l)
	if err != nil {
		return err
	}
	for episode := range 2 {
		if err := g.connect(2, 1); err != nil {
			return fmt.Errorf("episode %d: %w", episode+1, err)
		}
		if err := served(g.clients[0]); err != nil {
			return err
		}
		// The descriptor of the first Conn is free then, and no other.
		if err := unix.Shutdown(g.clients[0], unix.SHUT_WR); err != nil {
			return err
		}
		if err := served(g.clients[1]); err != nil {
			return err
		}
		if err := g.leave(); err != nil {
			return err
		}
	}
	l.Stop()
	return errors.Join(<-g.ended, tell())
}

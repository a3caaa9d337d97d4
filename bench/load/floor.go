//go:build linux

package load

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A floor is what is left of a reactor in Go without features: one goroutine on a
// thread of its own, one buffer, and the system calls, level-triggered. It keeps
// nothing of a connection but its descriptor, and waits in poll(2) for a peer that
// does not read, where all others wait, too.
type floor struct {
	calls
	ep, ln int
	buf    []byte
}

// calls are the system calls that a floor makes all the time.
type calls struct {
	read, write func(fd int, p []byte) (int, unix.Errno)
	poll        func(ep int, events []unix.EpollEvent) (int, unix.Errno) // without waiting; may be nil
}

// plain makes them as package unix offers them, and none to find out whether it
// would have to wait.
func plain() calls {
	return calls{
		read: func(fd int, p []byte) (int, unix.Errno) {
			n, err := unix.Read(fd, p)
			return n, number(err)
		},
		write: func(fd int, p []byte) (int, unix.Errno) {
			n, err := unix.Write(fd, p)
			return n, number(err)
		},
	}
}

// number returns the number of an error of package unix.
func number(err error) unix.Errno {
	if err == nil {
		return 0
	}
	var n unix.Errno
	if !errors.As(err, &n) {
		return unix.EINVAL
	}
	return n
}

// bottom returns the Server of one floor.
func bottom(c calls) Server {
	return func(ln int, ready func()) error {
		runtime.LockOSThread() // for good
		if err := unix.SetNonblock(ln, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return os.NewSyscallError("epoll_create1", err)
		}
		f := &floor{c, ep, ln, make([]byte, epoll.DefaultTurn)}
		f.watch(ln)
		ready()
		return f.run()
	}
}

func (f *floor) run() error {
	events := make([]unix.EpollEvent, epoll.DefaultEvents)
	for {
		n, err := f.wait(events)
		if err == unix.EINTR {
			continue
		}
		if err != 0 {
			return os.NewSyscallError("epoll_wait", err)
		}
		for i := range n {
			if fd := int(events[i].Fd); fd != f.ln {
				f.echo(fd)
			} else {
				f.accept()
			}
		}
	}
}

func (f *floor) wait(events []unix.EpollEvent) (int, unix.Errno) {
	if f.poll != nil {
		if n, err := f.poll(f.ep, events); n != 0 || err != 0 {
			return n, err
		}
	}
	n, err := unix.EpollWait(f.ep, events, -1)
	return n, number(err)
}

func (f *floor) watch(fd int) {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	_ = unix.EpollCtl(f.ep, unix.EPOLL_CTL_ADD, fd, &e) // the client notices
}

func (f *floor) accept() {
	for {
		fd, _, err := unix.Accept4(f.ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		f.watch(fd)
	}
}

// echo answers with what there is to be read, and closes at the end.
func (f *floor) echo(fd int) {
	n, err := f.read(fd, f.buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return
	}
	if err != 0 || n == 0 {
		_ = unix.Close(fd) // which takes it out of the epoll set
		return
	}
	for p := f.buf[:n]; len(p) > 0; {
		n, err := f.write(fd, p)
		switch err {
		case 0:
			p = p[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1) // the write tells
		default:
			return // the next read tells
		}
	}
}

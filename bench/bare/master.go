//go:build linux

package main

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// A master has all connections, on one loop.
type master struct {
	ep, ln int
	ends   []*end // by descriptor
	lanes  []*end
	dirty  []*end
	in     []byte // of whoever is read
}

// An end is a connection, or the master's end of a lane.
type end struct {
	fd      int
	lane    bool
	dirty   bool   // in master.dirty
	blocked bool   // the kernel takes no more
	in      []byte // begun, and not whole
	out     []byte // to be sent
}

func newMaster(ln int) (*master, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	m := &master{ep: ep, ln: ln, in: make([]byte, turn+longest)}
	if err == nil {
		m.watch(&end{fd: ln})
	}
	return m, os.NewSyscallError("epoll_create1", err)
}

func (m *master) watch(e *end) {
	for e.fd >= len(m.ends) {
		m.ends = append(m.ends, nil)
	}
	m.ends[e.fd] = e
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(e.fd)}
	_ = unix.EpollCtl(m.ep, unix.EPOLL_CTL_ADD, e.fd, &event) // the client notices
}

func (m *master) run() error {
	events := make([]unix.EpollEvent, 256)
	for {
		n, err := poll(m.ep, events)
		if n == 0 && err == 0 {
			n, err = wait(m.ep, events)
		}
		if err != 0 && err != unix.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for i := range max(n, 0) {
			e := m.ends[events[i].Fd]
			if events[i].Events&unix.EPOLLOUT != 0 {
				m.flush(e)
			}
			switch {
			case events[i].Events&^unix.EPOLLOUT == 0:
			case e.fd == m.ln:
				m.accept()
			default:
				m.read(e)
			}
		}
		for _, e := range m.dirty {
			e.dirty = false
			m.flush(e)
		}
		m.dirty = m.dirty[:0]
	}
}

func (m *master) accept() {
	for {
		fd, _, err := unix.Accept4(m.ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // it is slower without
		m.watch(&end{fd: fd})
	}
}

// read reads once, and passes on what is whole.
func (m *master) read(e *end) {
	have := copy(m.in, e.in)
	n, err := receive(e.fd, m.in[have:have+turn])
	if err == unix.EAGAIN || err == unix.EINTR {
		return
	}
	if err != 0 || n <= 0 {
		m.ends[e.fd] = nil
		e.out = nil
		_ = unix.Close(e.fd) // which takes it out of the epoll set
		return
	}
	p := m.in[:have+n]
	if e.lane {
		p = m.answers(p)
	} else {
		p = m.frames(e, p)
	}
	e.in = append(e.in[:0], p...)
}

// frames has all frames that p begins with sent to a worker, and returns the rest.
func (m *master) frames(e *end, p []byte) []byte {
	lane := m.lanes[e.fd%len(m.lanes)]
	for len(p) >= 4 {
		n := 4 + int(binary.BigEndian.Uint32(p))
		if n > longest {
			_ = unix.Shutdown(e.fd, unix.SHUT_RDWR) // the next read ends it
			return nil
		}
		if len(p) < n {
			break
		}
		lane.out = binary.NativeEndian.AppendUint32(lane.out, uint32(e.fd))
		lane.out = binary.NativeEndian.AppendUint32(lane.out, uint32(n))
		lane.out = append(lane.out, p[:n]...)
		m.touch(lane)
		p = p[n:]
	}
	return p
}

// length returns that of what follows an envelope.
func length(p []byte) int { return int(binary.NativeEndian.Uint32(p[4:])) }

// answers has all answers that p begins with sent to clients, and returns the rest.
func (m *master) answers(p []byte) []byte {
	for len(p) >= envelope && len(p) >= envelope+length(p) {
		n := envelope + length(p)
		if e := m.ends[binary.NativeEndian.Uint32(p)]; e != nil {
			e.out = append(e.out, p[envelope:n]...)
			m.touch(e)
		}
		p = p[n:]
	}
	return p
}

// touch has e flushed at the end of the round.
func (m *master) touch(e *end) {
	if !e.dirty {
		e.dirty = true
		m.dirty = append(m.dirty, e)
	}
}

// flush sends what the kernel takes, and waits for more room if that is not all.
func (m *master) flush(e *end) {
	sent := 0
	for sent < len(e.out) {
		n, err := send(e.fd, e.out[sent:])
		if err == unix.EINTR {
			continue
		}
		if err != 0 {
			break
		}
		sent += n
	}
	e.out = e.out[:copy(e.out, e.out[sent:])]
	if blocked := len(e.out) > 0; blocked != e.blocked {
		e.blocked = blocked
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(e.fd)}
		if blocked {
			event.Events |= unix.EPOLLOUT
		}
		_ = unix.EpollCtl(m.ep, unix.EPOLL_CTL_MOD, e.fd, &event) // or it is gone
	}
}

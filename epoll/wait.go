//go:build linux

package epoll

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poll asks for what is ready, without waiting.
func poll(fd int, raw []unix.EpollEvent) (int, error) {
	for {
		n, e := rawPoll(fd, raw)
		if !again(e) {
			return max(n, 0), failed("epoll_wait", e)
		}
	}
}

// A parker waits in the runtime's network poller: an epoll descriptor is
// readable when one of those that it watches is ready, so it can be watched
// itself. The runtime watches it edge-triggered, and parker polls before it
// parks, so no edge is missed. Wake-ups and deadlines are the one read deadline
// of the descriptor.
type parker struct {
	fd    int      // the number behind file, which keeps it open
	file  *os.File // never Fd(), which would make it blocking
	conn  syscall.RawConn
	woken atomic.Bool // by wake, since the last wait
	state atomic.Int32
	armed time.Time // the deadline that is set; of no meaning when loose
	loose bool      // a wake-up may have set another one
	raw   []unix.EpollEvent
	n     int
	err   error
	ready func(uintptr) bool
	busy  int // waits since the last one that parked
}

// unnoticed is how many waits of a parker in a row may go without the runtime's
// notice. Its monitor, which polls where nobody else does and preempts, sleeps while
// a process is idle. A system call wakes it, but one in package unix's Raw form does
// not, nor does the poller when it wakes a goroutine: a Loop that always has
// something to do would keep all others parked.
const unnoticed = 16

// States of a parker. Only a waiter that is parked, or about to be, has to be
// woken through its deadline.
const (
	awake int32 = iota
	parked
)

// newParker takes ownership of fd, and closes it if it fails.
func newParker(fd int) (*parker, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), "epoll")
	conn, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Time{}) // fails if it is not in the runtime's poller
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p := &parker{fd: fd, file: f, conn: conn}
	p.ready = p.pollOnce
	return p, nil
}

// pollOnce is called by the runtime before it parks, and after each wake-up that
// is not for the deadline.
func (p *parker) pollOnce(uintptr) bool {
	p.n, p.err = poll(p.fd, p.raw)
	return p.n != 0 || p.err != nil
}

func (p *parker) wait(raw []unix.EpollEvent, deadline time.Time) (int, error) {
	p.busy++
	if p.busy%unnoticed == 0 {
		notice()
	}
	if n, err := poll(p.fd, raw); n != 0 || err != nil {
		p.woken.Store(false) // whoever woke did so for a wait that returns
		return n, err
	}
	if p.woken.Swap(false) || !deadline.IsZero() && !time.Now().Before(deadline) {
		return 0, nil
	}
	if p.loose || !p.armed.Equal(deadline) {
		if err := p.file.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		p.armed, p.loose = deadline, false
	}
	p.raw, p.n, p.err, p.busy = raw, 0, nil, 0
	p.state.Store(parked)
	if !p.woken.Load() {
		err := p.conn.Read(p.ready)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.loose = true // passed, or a wake-up's
		} else if err != nil && p.err == nil {
			p.err = err
		}
	}
	p.state.Store(awake)
	p.woken.Store(false)
	p.raw = nil
	return p.n, p.err
}

// wake marks first and looks for a parked waiter then, which looks for the mark
// after it has said that it parks: one of the two sees the other. A deadline that
// is set too late wakes the next wait for nothing.
func (p *parker) wake() error {
	if p.woken.Swap(true) || p.state.Load() != parked {
		return nil
	}
	return p.file.SetReadDeadline(time.Unix(1, 0))
}

func (p *parker) close() error { return p.file.Close() }

// A blocker waits in epoll_wait(2), and is woken by an eventfd that is watched
// edge-triggered, so that nobody has to read it.
type blocker struct {
	fd, event int
	woken     atomic.Bool
	mu        sync.Mutex // guards event against a wake that comes when it is closed
	closed    bool
}

// newBlocker takes ownership of fd, and closes it if it fails.
func newBlocker(fd int) (*blocker, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("eventfd", err), unix.Close(fd))
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: -1}
	if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, event, &ev); err != nil {
		return nil, errors.Join(os.NewSyscallError("epoll_ctl", err), unix.Close(event), unix.Close(fd))
	}
	return &blocker{fd: fd, event: event}, nil
}

func (b *blocker) wait(raw []unix.EpollEvent, deadline time.Time) (int, error) {
	if b.woken.Swap(false) {
		deadline = time.Unix(1, 0) // has come
	}
	for {
		n, err := unix.EpollWait(b.fd, raw, milliseconds(deadline))
		if err == unix.EINTR {
			continue // a signal, as the runtime sends them to preempt
		}
		if err != nil {
			return 0, os.NewSyscallError("epoll_wait", err)
		}
		for i := range raw[:n] {
			if raw[i].Fd == -1 { // the eventfd; its place is taken by the last one
				raw[i] = raw[n-1]
				n--
				b.woken.Store(false)
				break
			}
		}
		return n, nil
	}
}

// milliseconds returns the time until deadline for epoll_wait, rounded up: an
// early return would spin until the deadline has come.
func milliseconds(deadline time.Time) int {
	if deadline.IsZero() {
		return -1
	}
	left := time.Until(deadline)
	if left <= 0 {
		return 0
	}
	return int(min((left+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
}

// wake writes once for all the wakes that a wait has not noticed yet.
func (b *blocker) wake() error {
	if b.woken.Swap(true) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return os.ErrClosed
	}
	// Nobody reads, so what is written adds up: at 1 a time, for centuries.
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	for {
		_, err := unix.Write(b.event, one[:])
		if err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
	}
}

func (b *blocker) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return errors.Join(os.NewSyscallError("close", unix.Close(b.event)), os.NewSyscallError("close", unix.Close(b.fd)))
}

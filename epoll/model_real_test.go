//go:build linux

package epoll

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A realKernel is what a rig on the real kernel has open, apart from the Loop.
type realKernel struct {
	tb     testing.TB
	owned  map[int]bool // descriptors of the test's
	before []string     // epoll instances of others
}

// realWorld returns a world of socket pairs and pipes, where a Loop waits as w
// says.
func realWorld(tb testing.TB, w Waiting) world {
	tb.Helper()
	k := &realKernel{tb: tb, owned: make(map[int]bool)}
	k.before = k.instances()
	kernel, err := newKernel(w)
	if err != nil {
		tb.Fatal(err)
	}
	return world{
		kernel:  kernel,
		conn:    k.conn,
		pipe:    func() pipe { return k.pipe(-1) },
		replace: k.pipe,
		release: k.close,
		hold: func(fd int) {
			again, err := unix.Dup(fd)
			if err != nil {
				tb.Fatal(err)
			}
			k.owned[again] = true
		},
		detached:  func(fd int) { k.owned[fd] = true },
		state:     k.state,
		interests: k.interests,
		setClock:  func(time.Time) {},
		calm:      func(bool) {},
		end: func() []string {
			for fd := range k.owned {
				k.close(fd)
			}
			return nil
		},
	}
}

// close closes a descriptor of the test's, once.
func (k *realKernel) close(fd int) {
	if k.owned[fd] {
		delete(k.owned, fd)
		_ = unix.Close(fd) // open, and read or written elsewhere
	}
}

// conn returns a pair of UNIX sockets that hold little.
func (k *realKernel) conn() (int, peer) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		k.tb.Fatal(err)
	}
	for _, fd := range fds {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 8<<10); err != nil {
			k.tb.Fatal(err)
		}
	}
	k.owned[fds[1]] = true
	return fds[0], realPeer{k, fds[1]}
}

// pipe returns a pipe, whose end to read from is at a number that is closed
// first, if that is not negative.
func (k *realKernel) pipe(at int) pipe {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		k.tb.Fatal(err)
	}
	fd, end := fds[0], fds[1]
	if at >= 0 {
		if err := unix.Dup3(fd, at, unix.O_CLOEXEC); err != nil {
			k.tb.Fatal(err)
		}
		_ = unix.Close(fd) // has another number now
		fd = at
	}
	k.owned[fd], k.owned[end] = true, true
	return pipe{
		fd:   fd,
		poke: func() { _, _ = unix.Write(end, []byte("x")) }, // to a pipe that is closed, perhaps
		drain: func() int {
			var p [4096]byte
			n, _ := unix.Read(fd, p[:]) // -1 if there is nothing
			return max(n, 0)
		},
		hang: func() { k.close(end) },
	}
}

// state returns what poll(2) says of a descriptor.
func (k *realKernel) state(fd int) Events {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
	if _, err := unix.Poll(p, 0); err != nil {
		return 0 // interrupted: nothing is said
	}
	return Events(p[0].Revents)
}

// instances returns the epoll descriptors of the process.
func (k *realKernel) instances() []string {
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		k.tb.Fatal(err)
	}
	var found []string
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil && target == "anon_inode:[eventpoll]" {
			found = append(found, filepath.Base(name))
		}
	}
	return found
}

// interests reads what the Loop's epoll instance watches. Errors and hangups are
// watched for always, and left out.
func (k *realKernel) interests() []Event {
	mine := k.instances()
	for _, other := range k.before {
		for i := range mine {
			if mine[i] == other {
				mine = append(mine[:i], mine[i+1:]...)
				break
			}
		}
	}
	if len(mine) != 1 {
		k.tb.Fatalf("epoll instances %q, and %q before; want one more", mine, k.before)
	}
	f, err := os.Open("/proc/self/fdinfo/" + mine[0])
	if err != nil {
		k.tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var events []Event
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var fd int
		var mask, data string
		if n, _ := fmt.Sscanf(lines.Text(), "tfd: %d events: %s data: %s", &fd, &mask, &data); n != 3 {
			continue
		}
		m, _ := strconv.ParseUint(mask, 16, 32)
		d, err := strconv.ParseUint(data, 16, 64)
		if err != nil {
			k.tb.Fatal(err)
		}
		if int32(d) >= 0 { // not the eventfd
			events = append(events, Event{FD: fd, Gen: uint32(d >> 32), Events: Events(m) &^ (Hangup | Failed)})
		}
	}
	return events
}

// A realPeer is the other end of a socket pair.
type realPeer struct {
	k  *realKernel
	fd int
}

func (p realPeer) write(b []byte) int {
	n, _ := unix.Write(p.fd, b) // -1 if nothing is taken
	return max(n, 0)
}

func (p realPeer) read(most int) ([]byte, bool) {
	var all []byte
	for most > 0 {
		b := make([]byte, most)
		n, err := unix.Read(p.fd, b)
		if err != nil {
			return all, err != unix.EAGAIN
		}
		if n == 0 {
			return all, true
		}
		all = append(all, b[:n]...)
		most -= n
	}
	return all, false
}

func (p realPeer) shutdown() { _ = unix.Shutdown(p.fd, unix.SHUT_WR) } // or the other end is gone

func (p realPeer) reset() { p.close() } // UNIX sockets do when something is unread

func (p realPeer) close() { p.k.close(p.fd) }

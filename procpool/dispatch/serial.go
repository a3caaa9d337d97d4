//go:build linux

package dispatch

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// A Serial is a Driver without a loop: whoever posts, or is woken by a socket, runs a
// round, and what others post meanwhile. It comes from NewSerial.
type Serial struct {
	mu      sync.Mutex
	posted  []func()
	running bool
	closed  bool
	defers  []func() // of the round
}

// maxRounds is how many rounds a goroutine runs in a row before another one takes
// over, as it has something else to do.
const maxRounds = 16

// NewSerial returns a Serial. It starts a goroutine for each socket that is watched,
// another one while that cannot be written, one to let go of it, and one for rounds when
// they are many in a row.
func NewSerial() *Serial { return new(Serial) }

// Post has fn called in a round, perhaps before it returns. The error is ErrStopped.
func (s *Serial) Post(fn func()) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrStopped
	}
	s.posted = append(s.posted, fn)
	first := !s.running
	s.running = true
	s.mu.Unlock()
	if first {
		s.run()
	}
	return nil
}

// Defer has fn called at the end of the round.
func (s *Serial) Defer(fn func()) { s.defers = append(s.defers, fn) }

// Close has Post take nothing more. What was posted before is called. Sockets are
// watched no more once they can be read, by the end of their worker at the latest.
func (s *Serial) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// run runs rounds while there is something to do.
func (s *Serial) run() {
	for range maxRounds {
		s.mu.Lock()
		posted := s.posted
		s.posted = nil
		s.running = len(posted) > 0
		s.mu.Unlock()
		if len(posted) == 0 {
			return
		}
		for _, fn := range posted {
			fn()
		}
		for i := 0; i < len(s.defers); i++ { // they may defer, too
			s.defers[i]()
		}
		clear(s.defers)
		s.defers = s.defers[:0]
	}
	go s.run() // ends when nothing is left to do
}

// call has fn called in a round, and returns what it returns, or that there are no
// more rounds.
func (s *Serial) call(fn func() bool) (result, ended bool) {
	c := make(chan bool, 1)
	if s.Post(func() { c <- fn() }) != nil {
		return false, true
	}
	return <-c, false
}

// Watch watches a socket by a duplicate of its descriptor, in the runtime's poller.
func (s *Serial) Watch(socket *uds.Socket, readable func() bool, writable func()) (Watch, error) {
	fd, err := unix.FcntlInt(uintptr(socket.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &serialWatch{s: s, file: os.NewFile(uintptr(fd), "lane"), readable: readable, writable: writable}
	if w.conn, err = w.file.SyscallConn(); err != nil {
		return nil, err
	}
	go w.read() // ends with the watch
	return w, nil
}

// A serialWatch is a socket that a Serial watches. Its state belongs to the rounds.
type serialWatch struct {
	s        *Serial
	file     *os.File
	conn     syscall.RawConn
	readable func() bool
	writable func()
	ended    bool
	awaits   bool // writable is to be called
	writing  bool // somebody waits for that
}

// read calls readable until the watch has ended, or there are no more rounds.
func (w *serialWatch) read() {
	_ = w.conn.Read(func(uintptr) (end bool) { // ends when the file is closed
		more, closed := true, false
		for more {
			more, closed = w.s.call(func() bool {
				end = w.ended
				return !w.ended && w.readable()
			})
		}
		return end || closed
	})
	_ = w.file.Close() // if End has not
}

func (w *serialWatch) Await() error {
	w.awaits = true
	if !w.writing {
		w.writing = true
		go w.write() // ends when the socket is not full any more, or with the watch
	}
	return nil
}

// write calls writable until nobody waits for it any more.
func (w *serialWatch) write() {
	_ = w.conn.Write(func(uintptr) bool { // ends when the file is closed
		more, _ := w.s.call(func() bool {
			if !w.ended {
				w.awaits = false
				w.writable()
			}
			w.writing = w.awaits && !w.ended
			return w.writing
		})
		return !more
	})
}

// End closes the file in another goroutine, which ends when nobody uses it any more:
// the one that does may wait for this round.
func (w *serialWatch) End() {
	w.ended = true
	go func() { _ = w.file.Close() }() // it is open
}

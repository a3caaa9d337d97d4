//go:build linux

package dispatch

import "github.com/plait-go/plait/uds"

// A Driver is what a Dispatcher runs on: one goroutine, or one at a time, that calls
// functions in rounds. [OnLoop] makes one of an epoll.Loop, and [NewSerial] one that
// needs none.
type Driver interface {
	// Post has fn called in a round, from any goroutine. The error says that it will
	// not be, and that there are no more rounds.
	Post(fn func()) error

	// Defer has fn called at the end of the round, from within it.
	Defer(fn func())

	// Watch has readable called, in a round, whenever the socket can be read, until
	// the watch ends. Readable reads once, and reports whether there may be more. It
	// is called from within a round. The socket stays the caller's.
	Watch(s *uds.Socket, readable func() (more bool), writable func()) (Watch, error)
}

// A Watch is a socket that is watched.
type Watch interface {
	// Await has writable called once, when the socket can be written.
	Await() error

	// End ends the watch: neither function is called any more. The socket may be
	// closed then.
	End()
}

// A Loop is an event loop such as epoll.Loop. E is its set of conditions, of which 1
// is that it can be read and 4 that it can be written, as in epoll_ctl(2), and S what
// it has for a descriptor that it watches.
type Loop[E ~uint32, S Source[E]] interface {
	Post(fn func()) error
	Defer(fn func())
	Add(fd int, events E, fn func(E)) (S, error)
}

// A Source is a descriptor that a Loop watches.
type Source[E ~uint32] interface {
	Set(events E) error
	Remove() error
}

// The conditions. See epoll_ctl(2), EPOLLIN and EPOLLOUT.
const (
	readable = 1
	writable = 4
)

// OnLoop returns a Driver that runs on l.
func OnLoop[E ~uint32, S Source[E]](l Loop[E, S]) Driver { return &onLoop[E, S]{l} }

type onLoop[E ~uint32, S Source[E]] struct{ Loop[E, S] }

func (o *onLoop[E, S]) Watch(s *uds.Socket, read func() bool, write func()) (Watch, error) {
	w := new(loopWatch[E, S])
	var err error
	w.source, err = o.Add(s.FD(), readable, func(e E) {
		if e&writable != 0 && w.awaits {
			w.awaits = false
			_ = w.source.Set(readable) // it has been so before
			write()
		}
		if e&^writable != 0 && !w.ended {
			read()
		}
	})
	return w, err
}

type loopWatch[E ~uint32, S Source[E]] struct {
	source S
	awaits bool
	ended  bool
}

func (w *loopWatch[E, S]) Await() error {
	w.awaits = true
	return w.source.Set(readable | writable)
}

func (w *loopWatch[E, S]) End() {
	w.ended = true
	_ = w.source.Remove() // it is there
}

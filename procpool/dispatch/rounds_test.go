//go:build linux

package dispatch_test

import (
	"slices"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/uds"
)

// rounds is a Driver whose rounds a test runs by hand, in its own goroutine.
type rounds struct {
	posted  []func()
	defers  []func()
	watches []*watched
	closed  bool
}

func (r *rounds) Post(fn func()) error {
	if r.closed {
		return dispatch.ErrStopped
	}
	r.posted = append(r.posted, fn)
	return nil
}

func (r *rounds) Defer(fn func()) { r.defers = append(r.defers, fn) }

func (r *rounds) Watch(_ *uds.Socket, readable func() bool, writable func()) (dispatch.Watch, error) {
	w := &watched{readable: readable, writable: writable}
	r.watches = append(r.watches, w)
	return w, nil
}

// watched is a socket that rounds watch.
type watched struct {
	readable func() bool
	writable func()
	awaits   bool
	ended    bool
}

func (w *watched) Await() error {
	w.awaits = true
	return nil
}

func (w *watched) End() { w.ended = true }

// round runs one round.
func (r *rounds) round(fn func()) {
	fn()
	for i := 0; i < len(r.defers); i++ {
		r.defers[i]()
	}
	r.defers = r.defers[:0]
}

// run runs what is posted.
func (r *rounds) run() {
	for len(r.posted) > 0 {
		fns := r.posted
		r.posted = nil
		r.round(func() {
			for _, fn := range fns {
				fn()
			}
		})
	}
}

// settle runs what is posted, and has all sockets written and read until there is
// nothing more to read.
func (r *rounds) settle() {
	for again := true; again; {
		r.run()
		again = false
		for _, w := range slices.Clone(r.watches) {
			if w.awaits && !w.ended {
				w.awaits = false
				r.round(w.writable)
			}
			for more := true; more && !w.ended; again = again || more {
				r.round(func() { more = w.readable() })
			}
		}
		r.watches = slices.DeleteFunc(r.watches, func(w *watched) bool { return w.ended })
		again = again || len(r.posted) > 0
	}
}

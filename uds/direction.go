//go:build linux

package uds

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// direction is one way through a Conn, or the accepting of a Listener. Calls that
// do not wait are made under mu. One goroutine at a time waits: it holds the slot,
// a channel, so that waiting for it ends with a context, too.
//
// On a Stream whoever sends holds the slot, so that bytes of two calls do not mix.
type direction struct {
	kind  Kind
	op    func(c *call, fd int, kind Kind)
	watch watch
	slot  chan struct{}
	gone  <-chan struct{} // closed with the Conn
	fair  bool            // whoever waits is helped before others try

	control func(func(fd uintptr)) error      // of the descriptor's RawConn
	park    func(func(fd uintptr) bool) error // its Read or Write
	tryFn   func(fd uintptr)                  // makes the call now
	parkFn  func(fd uintptr) bool             // makes the call later; false: not yet
	helpFn  func(fd uintptr)                  // makes the call later for whoever waits

	mu         sync.Mutex
	now, later call
	waits      bool // somebody waits for the call later
}

// init prepares d once, so that a call allocates nothing. Control, park and set are
// methods of a descriptor.
func (d *direction) init(
	kind Kind, op func(*call, int, Kind),
	control func(func(uintptr)) error, park func(func(uintptr) bool) error, set func(time.Time) error,
	gone <-chan struct{},
) {
	d.kind, d.op, d.control, d.park, d.gone = kind, op, control, park, gone
	d.slot = make(chan struct{}, 1)
	d.watch.set, d.watch.pokeFn = set, d.watch.poke
	d.tryFn = func(fd uintptr) { d.op(&d.now, int(fd), d.kind) }
	d.parkFn = func(fd uintptr) bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.later.errno == unix.EAGAIN { // nobody has made it meanwhile
			d.op(&d.later, int(fd), d.kind)
		}
		return d.later.errno != unix.EAGAIN
	}
	d.helpFn = func(fd uintptr) { d.op(&d.later, int(fd), d.kind) }
}

// try makes the call, and does not wait: the errno may be EAGAIN. The error is of
// the descriptor: net.ErrClosed or os.ErrDeadlineExceeded.
func (d *direction) try(r *request, parts [][]byte) (result, error) {
	if d.watch.expired() {
		if d.control(func(uintptr) {}) != nil {
			return result{}, net.ErrClosed
		}
		return result{}, os.ErrDeadlineExceeded
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// What goes elsewhere by name takes no room from who waits.
	if d.fair && r.name == nil && !d.help() {
		return result{errno: unix.EAGAIN}, nil
	}
	d.now.set(r, parts)
	err := d.control(d.tryFn)
	res := d.now.result
	d.now.drop()
	if err != nil {
		return result{}, net.ErrClosed
	}
	return res, nil
}

// help makes the call of whoever waits, and reports whether nobody does any more. The
// kernel wakes those who wait when three quarters of the queue are free, and before
// that others would fill it again and again.
func (d *direction) help() bool {
	if !d.waits || d.later.errno != unix.EAGAIN {
		return true
	}
	if d.control(d.helpFn) != nil {
		return true // closed: the call that follows says so
	}
	if d.later.errno == unix.EAGAIN {
		return false
	}
	d.watch.poke()
	return true
}

// tryAlone is try, for sending on a Stream: with another sender at work there is no
// room.
func (d *direction) tryAlone(r *request, parts [][]byte) (result, error) {
	select {
	case d.slot <- struct{}{}:
		defer d.leave()
		return d.try(r, parts)
	default:
		return result{errno: unix.EAGAIN}, nil
	}
}

// do makes the call, and waits until it is made.
func (d *direction) do(ctx context.Context, r *request, parts [][]byte) (result, error) {
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	res, err := d.try(r, parts)
	if err != nil || res.errno != unix.EAGAIN {
		return res, err
	}
	if err := d.enter(ctx); err != nil {
		return result{}, err
	}
	defer d.leave()
	return d.wait(ctx, r, parts, result{size: size(r.p, parts), errno: unix.EAGAIN})
}

// doAlone is do, for sending on a Stream.
func (d *direction) doAlone(ctx context.Context, r *request, parts [][]byte) (result, error) {
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	if err := d.enter(ctx); err != nil {
		return result{}, err
	}
	defer d.leave()
	res, err := d.try(r, parts)
	if err != nil || res.errno != unix.EAGAIN {
		return res, err
	}
	if res.n > 0 {
		r.control, r.files = nil, nil // went with the first byte
	}
	return d.wait(ctx, r, parts, res)
}

// enter takes the slot.
func (d *direction) enter(ctx context.Context) error {
	select {
	case d.slot <- struct{}{}:
		return nil
	default:
	}
	select {
	case d.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-d.gone:
		return net.ErrClosed
	}
}

// leave gives the slot back.
func (d *direction) leave() { <-d.slot }

// wait goes on with a call of which res is done. The caller holds the slot.
func (d *direction) wait(ctx context.Context, r *request, parts [][]byte, res result) (result, error) {
	d.mu.Lock()
	d.later.set(r, parts)
	d.later.result, d.waits = res, true
	d.mu.Unlock()
	err := d.parked(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waits = false
	res = d.later.result
	d.later.drop()
	if d.fair && res.errno != unix.EAGAIN {
		err = nil // made by another goroutine, whatever has ended meanwhile
	}
	return res, err
}

// parked makes the call of later in the runtime's poller.
func (d *direction) parked(ctx context.Context) error {
	for {
		if err := d.watch.arm(ctx); err != nil {
			return err
		}
		err := d.park(d.parkFn)
		poked := d.watch.disarm()
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return net.ErrClosed
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !poked:
			return os.ErrDeadlineExceeded
		}
		// An earlier context ended, whose end was on its way already, or sending was
		// shut down.
	}
}

//go:build linux

package dispatch

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
)

// A Worker is one incarnation of a worker, as a Dispatcher sees it.
type Worker struct {
	// Socket is the dispatcher's end of the lane, a stream that it owns from Attach
	// on.
	Socket *uds.Socket

	// Begun returns how many requests the worker has begun, all in all. It is asked
	// when the worker has ended.
	Begun func() int64

	// Broken is called in a round when the lane is of no use any more: with io.EOF if
	// the worker has closed it before it was told that nothing follows, otherwise with
	// what was wrong. The worker is to be killed, unless it is dead already.
	Broken func(err error)

	// Released is called when the Dispatcher needs neither Begun nor the worker any
	// more, perhaps not in a round.
	Released func()
}

// A Lane is the way to a worker. Its methods may be called by any goroutine.
type Lane struct {
	Worker
	d          *Dispatcher
	slot       *slot
	watch      Watch
	log        log    // what the worker was sent, and has not answered
	popped     int64  // requests that are in log no more
	unanswered int    // requests
	cost       int    // of them
	sent       uint64 // bytes of log.wire that the kernel has taken
	records    framing.Decoder
	parts      lane.Assembler
	stuck      []stuck
	calls      int    // that have no return
	halted     func() // to be called when all requests are answered, or nil
	drained    func() // to be called when nothing is left to be done, or nil
	ends       bool   // it is to be told that nothing follows
	state      laneState
	blocked    bool // the kernel takes no more
	dirty      bool // in Dispatcher.dirty
	dead       bool // the process has ended
	released   sync.Once
}

// A laneState is how far a Lane is.
type laneState uint8

const (
	idle     laneState = iota // the worker is not ready
	open                      // it gets requests
	draining                  // it gets no more
	ending                    // it was told that nothing follows
	broken                    // nothing can be sent or received any more
	gone
)

// Attach gives a slot a worker, which is not ready. It may be called by any goroutine.
func (d *Dispatcher) Attach(number int, w Worker) *Lane {
	l := &Lane{Worker: w, d: d, slot: d.slots[number], records: lane.NewDecoder(), parts: lane.Assembler{Max: d.o.Max}}
	l.log.pool = &d.chunks
	l.post(l.attach)
	return l
}

// post has fn called in a round, and, if there are none any more, lets go of the
// worker.
func (l *Lane) post(fn func()) {
	if l.d.driver.Post(fn) != nil {
		l.release()
	}
}

// release lets go of the worker.
func (l *Lane) release() {
	l.released.Do(func() {
		_ = l.Socket.Close() // nobody has closed it
		if l.Released != nil {
			l.Released()
		}
	})
}

// Ready makes the worker the one of its slot that gets requests.
func (l *Lane) Ready() { l.post(l.ready) }

// Halt has the worker get no more requests. Done is called, in a round, when it has
// answered those that it has. Calls are still possible.
func (l *Lane) Halt(done func()) { l.post(func() { l.halt(done) }) }

// Drain is Halt, and when the worker has the returns of its calls, too, it is told
// that nothing follows, and done is called, in a round, if it is not nil.
func (l *Lane) Drain(done func()) { l.post(func() { l.drain(done) }) }

// Exited tells that the worker's process has ended. What it has not answered is
// settled.
func (l *Lane) Exited() { l.post(l.exited) }

// Finish tells that a slot will have no worker any more. Its requests are answered
// with ErrNoWorker. It may be called by any goroutine.
func (d *Dispatcher) Finish(number int) {
	_ = d.driver.Post(func() { // or there is nobody any more who waits
		s := d.slots[number]
		s.finished = true
		d.giveUp(s)
	})
}

func (l *Lane) attach() {
	l.slot.lanes = append(l.slot.lanes, l)
	var err error
	if l.watch, err = l.d.driver.Watch(l.Socket, l.readable, l.writable); err != nil {
		l.watch = nil
		l.breaks(err)
	}
}

func (l *Lane) ready() {
	if l.state != idle || l.d.closed {
		return
	}
	l.state = open
	if old := l.slot.lane; old != nil {
		old.state = draining
	}
	l.slot.lane = l
	l.d.pump(l.slot)
}

func (l *Lane) halt(done func()) {
	if l.slot.lane == l {
		l.slot.lane = nil
	}
	if l.state <= open {
		l.state = draining
	}
	l.halted = done
	l.endIfDone()
}

func (l *Lane) drain(done func()) {
	l.ends, l.drained = true, done
	l.halt(l.halted)
}

// endIfDone tells the worker that nothing follows, if it is to go and all is done.
func (l *Lane) endIfDone() {
	if l.unanswered > 0 {
		return
	}
	call(&l.halted)
	if l.calls > 0 || !l.ends {
		return
	}
	if l.state == draining {
		l.state = ending
		l.append(lane.Header{Kind: lane.KindEnd}, nil)
	}
	call(&l.drained)
}

// call calls a function once, if there is one.
func call(fn *func()) {
	if f := *fn; f != nil {
		*fn = nil
		f()
	}
}

// readable reads once.
func (l *Lane) readable() (again bool) {
	if l.state >= broken {
		return false
	}
	n, err := l.Socket.TryReceive(l.d.in)
	switch {
	case errors.Is(err, uds.ErrEmpty):
		return false
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, uds.ErrPeerClosed):
		l.breaks(err)
		return false
	case err != nil:
		l.breaks(io.EOF)
		return false
	}
	if err := l.feed(l.d.in[:n]); err != nil {
		l.d.counts.Broken++
		l.breaks(err)
	}
	l.advance()
	l.d.pump(l.slot)
	l.endIfDone()
	l.slot.publish()
	l.d.wake()
	return l.state < broken
}

// breaks ends the lane, before the end of the worker.
func (l *Lane) breaks(err error) {
	if l.state >= broken {
		return
	}
	wanted := l.state == ending && errors.Is(err, io.EOF)
	l.state = broken
	if l.slot.lane == l {
		l.slot.lane = nil
	}
	if l.watch != nil {
		l.watch.End()
	}
	if !wanted && !l.dead && l.Broken != nil {
		l.Broken(fmt.Errorf("dispatch: lane of slot %d: %w", l.slot.number, err))
	}
}

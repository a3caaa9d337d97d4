//go:build linux

package epoll

import "sync"

// A queue is functions to be called, for one goroutine. It keeps two slices, and
// fills the one while it runs the other.
type queue struct {
	waiting, running []func()
}

func (q *queue) put(fn func()) { q.waiting = append(q.waiting, fn) }

// maxKept is how many places a slice may have that is kept though few are in use.
const maxKept = 16 << 10

// swap returns the functions that are waiting now.
func (q *queue) swap() []func() {
	if c := cap(q.running); c > maxKept && len(q.waiting) < c/4 {
		q.running = nil
	}
	q.waiting, q.running = q.running[:0], q.waiting
	return q.running
}

// run calls the functions that are waiting now.
func (q *queue) run() { call(q.swap()) }

// call calls functions, and forgets each before.
func call(fns []func()) {
	for i, fn := range fns {
		fns[i] = nil
		fn()
	}
}

// An inbox is what other goroutines have for a Loop: functions to be called, and
// connections that a Listener elsewhere has accepted.
type inbox struct {
	mu       sync.Mutex
	closed   bool
	queue    queue
	arrivals []arrival
}

// put reports whether fn is the first to wait: the one for which the Loop has to be
// woken.
func (b *inbox) put(fn func()) (first bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false, ErrStopped
	}
	first = b.empty()
	b.queue.put(fn)
	return first, nil
}

// arrive is put for a connection.
func (b *inbox) arrive(a arrival) (first bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false, ErrStopped
	}
	first = b.empty()
	b.arrivals = append(b.arrivals, a)
	return first, nil
}

func (b *inbox) empty() bool { return len(b.queue.waiting) == 0 && len(b.arrivals) == 0 }

// run calls the functions that are waiting now. Connections come first: a function
// that was posted after one was accepted finds it, and opened.
func (b *inbox) run(receive func([]arrival)) {
	b.mu.Lock()
	arrivals, fns := b.arrivals, b.queue.swap()
	b.arrivals = nil
	b.mu.Unlock()
	if len(arrivals) > 0 {
		receive(arrivals)
	}
	call(fns)
}

// idle reports whether nothing waits.
func (b *inbox) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.empty()
}

// close takes nothing more, and gives back the connections that wait.
func (b *inbox) close() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	arrivals := b.arrivals
	b.arrivals = nil
	return arrivals
}

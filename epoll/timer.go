//go:build linux

package epoll

import "time"

// A Timer calls a function of a Loop when its time has come. Its methods are for
// callbacks of the Loop, and for before Run.
type Timer struct {
	loop   *Loop
	fn     func()
	when   time.Time
	period time.Duration // 0: once
	seq    uint64        // of its setting; orders timers of the same moment
	at     int           // index in the heap, or one of the places below
	own    bool          // the package's, and nothing that pins a Loop
}

// A schedule is the Timers of a Loop that are set.
type schedule struct {
	timers heap
	due    []*Timer // of the round
	seq    uint64   // of the last setting of a Timer
}

// After calls fn once, d from now or a little later, never earlier. With d of 0 or
// less that is when the timers have their next turn: not before this round's I/O
// is done, and in the next round if it is a timer that asks for it.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	t := &Timer{loop: l, fn: fn, at: unset}
	t.Reset(d)
	return t
}

// Every calls fn once each d, which must be positive. A call that comes late does
// not shift those behind it, and calls that were missed altogether, in a callback
// that took long, are made up for by one.
func (l *Loop) Every(d time.Duration, fn func()) *Timer {
	if d <= 0 {
		panic("epoll: Loop.Every with a period that is not positive")
	}
	t := &Timer{loop: l, fn: fn, period: d, at: unset}
	t.Reset(d)
	return t
}

// after is After for the package's own use.
func (l *Loop) after(d time.Duration, fn func()) { l.After(d, fn).own = true }

// Stop keeps t from calling its function, and reports whether it was going to.
func (t *Timer) Stop() bool {
	switch {
	case t.at >= 0:
		t.loop.timers.remove(t)
	case t.at <= firing:
		t.loop.due[firing-t.at] = nil
	default:
		return false
	}
	t.at = unset
	return true
}

// Reset makes t call its function d from now, and then as before. It may be
// called whether or not t has fired or was stopped, from its function as well.
func (t *Timer) Reset(d time.Duration) { t.setAt(t.loop.kernel.now().Add(max(d, 0))) }

// setAt makes t call its function at a time.
func (t *Timer) setAt(when time.Time) {
	t.Stop()
	t.set(when)
}

func (t *Timer) set(when time.Time) {
	t.loop.seq++
	t.when, t.seq = when, t.loop.seq
	t.loop.timers.add(t)
}

// fire calls the functions whose time has come. Timers that these set wait for
// the next round, however soon their time comes.
func (l *Loop) fire() {
	if len(l.timers) == 0 {
		return
	}
	l.due = l.due[:0]
	now := l.Now()
	for len(l.timers) > 0 && !l.timers[0].when.After(now) {
		t := l.timers[0]
		l.timers.remove(t)
		t.at = firing - len(l.due)
		l.due = append(l.due, t)
	}
	for i := range l.due {
		t := l.due[i]
		if t == nil {
			continue // stopped by one before it
		}
		l.due[i], t.at = nil, unset
		if t.period > 0 {
			missed := now.Sub(t.when) / t.period
			t.set(t.when.Add((missed + 1) * t.period))
		}
		t.fn()
	}
}

// Places of a Timer that are no index in the heap.
const (
	unset  = -1
	firing = -2 // in Loop.due, at firing less the place
)

// A heap is Timers of which the first is the next one, by time and then by the
// order in which they were set: a binary heap.
type heap []*Timer

func (h heap) less(i, j int) bool {
	if c := h[i].when.Compare(h[j].when); c != 0 {
		return c < 0
	}
	return h[i].seq < h[j].seq
}

func (h heap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *heap) add(t *Timer) {
	t.at = len(*h)
	*h = append(*h, t)
	h.up(t.at)
}

func (h *heap) remove(t *Timer) {
	i, last := t.at, len(*h)-1
	if i != last {
		h.swap(i, last)
	}
	(*h)[last] = nil
	*h = (*h)[:last]
	if i != last {
		h.down(i)
		h.up(i)
	}
	t.at = unset
}

func (h heap) up(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h heap) down(i int) {
	for {
		next := 2*i + 1
		if next >= len(h) {
			return
		}
		if next+1 < len(h) && h.less(next+1, next) {
			next++
		}
		if !h.less(next, i) {
			return
		}
		h.swap(i, next)
		i = next
	}
}

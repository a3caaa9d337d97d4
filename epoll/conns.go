//go:build linux

package epoll

import "iter"

// conns are the connections of a Loop by their IDs, which are numbers in order:
// the ID after the last one whose place is free. The places are a power of two,
// at least twice as many as Conns, and a place belongs to the IDs that are the
// same modulo that power. So a lookup is one comparison, an ID is never given
// twice, and the memory is that of two to four pointers for each of the most Conns
// that there were: it shrinks where they are few, and their IDs allow it.
type conns struct {
	places []*Conn
	n      int
	last   uint64 // number of the last Conn
	// Loops that share one space of IDs count in steps of their number.
	first, step uint64
}

// add gives c an ID, and a place.
func (t *conns) add(c *Conn) {
	if 2*(t.n+1) > len(t.places) {
		t.resize(max(2*len(t.places), 16))
	}
	for {
		t.last++
		if t.places[t.place(t.last)] == nil {
			break
		}
	}
	c.id = t.last*t.step + t.first
	t.places[t.place(t.last)] = c
	t.n++
}

func (t *conns) place(number uint64) int { return int(number & uint64(len(t.places)-1)) }

// get returns the Conn with an ID, or nil.
func (t *conns) get(id uint64) *Conn {
	if t.n == 0 || id%t.step != t.first {
		return nil
	}
	if c := t.places[t.place(id/t.step)]; c != nil && c.id == id {
		return c
	}
	return nil
}

// remove forgets c. When most of the places are free, it gives memory back.
func (t *conns) remove(c *Conn) {
	t.places[t.place(c.id/t.step)] = nil
	t.n--
	if len(t.places) > 1024 && 16*t.n < len(t.places) && t.n&(t.n-1) == 0 && t.fits(len(t.places)/2) {
		t.resize(len(t.places) / 2)
	}
}

// fits reports whether no two Conns would have one of n places.
func (t *conns) fits(n int) bool {
	for i := range n {
		if t.places[i] != nil && t.places[i+n] != nil {
			return false
		}
	}
	return true
}

// resize moves the Conns to n places, where each has one of its own: numbers that
// differ modulo the old power differ modulo a higher one.
func (t *conns) resize(n int) {
	old := t.places
	t.places = make([]*Conn, n)
	for _, c := range old {
		if c != nil {
			t.places[t.place(c.id/t.step)] = c
		}
	}
}

// all yields the Conns, those that are added meanwhile or not.
func (t *conns) all() iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		places := t.places
		for i := range places {
			if c := places[i]; c != nil && c.state != gone && !yield(c) {
				return
			}
		}
	}
}

// Do has fn called, as [Loop.Post] does, with what [Loop.Conn] returns by then for
// an ID. A peer that closes in the same round comes first. Do may be called from
// anywhere.
func (l *Loop) Do(id uint64, fn func(c *Conn)) error {
	return l.Post(func() { fn(l.Conn(id)) })
}

// Conns yields the Conns that [Loop.Conn] finds, and perhaps some that are made
// meanwhile.
func (l *Loop) Conns() iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		for c := range l.conns.all() {
			if c.known() && !yield(c) {
				return
			}
		}
	}
}

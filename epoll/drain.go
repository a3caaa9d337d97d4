//go:build linux

package epoll

// Pins are what keep a Loop from ending by itself. Functions that were posted or
// deferred do, too, but never for longer than a round. Goroutines that will post
// something later do not.
type Pins struct {
	Sources   int // that were added and not removed
	Packets   int // PacketConns
	Conns     int // also those that are being closed
	Listeners int
	Timers    int // that are set
}

// A drainage is how a Loop is drained.
type drainage struct {
	draining bool
	drained  bool // and so it ended
	hook     func(Pins)
	pinned   Pins // at the last call of hook
}

// Drain has Run return as if by Stop once nothing pins the Loop any more. It
// closes nothing itself. Hook, if not nil, is called with what there is at the end
// of this round, and of each one in which that has changed: to report who is late,
// or to end it.
//
// Like other methods Drain is for callbacks, and for before Run: a Loop that is
// drained from the beginning runs until it has nothing left to do.
func (l *Loop) Drain(hook func(Pins)) {
	l.draining, l.hook = true, hook
	l.pinned = Pins{Sources: -1}
	l.Defer(func() {}) // so that a Loop that waits for ever looks again
}

// Pins returns what keeps the Loop from ending by itself.
func (l *Loop) Pins() Pins {
	p := Pins{Sources: l.added, Conns: l.conns.n, Listeners: l.listening, Packets: l.packets}
	for _, t := range l.timers {
		if !t.own {
			p.Timers++
		}
	}
	return p
}

// drain ends the Loop if nothing pins it.
func (l *Loop) drain() {
	p := l.Pins()
	if p == (Pins{}) && l.posts.idle() && len(l.defers.waiting) == 0 {
		l.drained = true
		l.Stop()
		return
	}
	if p != l.pinned {
		l.pinned = p
		if l.hook != nil {
			l.hook(p)
			l.tidy()
			l.Defer(func() {}) // to look again at what the hook has ended
		}
	}
}

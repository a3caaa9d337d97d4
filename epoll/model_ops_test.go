//go:build linux

package epoll

import (
	"fmt"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
)

// An op is one thing that is done to a rig: by the test, or within the next
// callback. Any list of them makes sense, so any part of one does.
type op struct {
	verb   string
	which  int // of what there is, modulo how many there are
	n      int // bytes, milliseconds, or one of several ways
	inside bool
}

// verbs are what an op can be, and how often one is.
func verbs() map[string]int {
	return map[string]int{
		"attach": 6, "peerWrite": 12, "peerRead": 10, "peerShutdown": 3, "peerReset": 1, "peerClose": 1,
		"pause": 3, "resume": 4, "write": 12, "writev": 4, "closeWrite": 2, "close": 3, "abort": 1, "detach": 1,
		"add": 4, "set": 3, "remove": 2, "replace": 3, "poke": 6, "hang": 1,
		"post": 4, "defer": 3, "after": 3, "every": 1, "timerStop": 2, "timerReset": 2,
		"advance": 4, "round": 10, "rest": 6, "stop": 1,
	}
}

// apply carries the op out.
func (o op) apply(r *rig, inside bool) {
	if o.general(r, inside) || o.source(r) || o.timer(r) || len(r.subjects) == 0 {
		return
	}
	s := r.subjects[o.which%len(r.subjects)]
	if !s.peerGone {
		o.peer(s)
	}
	o.conn(s)
}

// general is what concerns nothing that there is.
func (o op) general(r *rig, inside bool) bool {
	switch o.verb {
	case "attach":
		if len(r.subjects) < 12 {
			r.attach()
		}
	case "post":
		r.post()
	case "defer":
		if !r.ended && !r.l.stop.Load() {
			r.later()
		}
	case "stop":
		if o.n%8 == 0 {
			r.l.Stop()
		}
	case "advance":
		d := time.Duration(o.n%4096) * time.Millisecond
		if inside {
			r.clock = r.clock.Add(d) // a callback that takes long
			r.setClock(r.clock)
		} else {
			r.advance(d)
		}
	case "round":
		if !inside {
			r.step()
		}
	case "rest":
		if !inside {
			r.rest()
		}
	default:
		return false
	}
	return true
}

// source is what concerns Sources.
func (o op) source(r *rig) bool {
	switch o.verb {
	case "add":
		if len(r.watches) < 12 {
			r.add(r.pipe(), masks()[o.n%4])
		}
		return true
	case "set", "remove", "replace", "poke", "hang":
	default:
		return false
	}
	if len(r.watches) == 0 || r.ended {
		return true
	}
	w := r.watches[o.which%len(r.watches)]
	switch o.verb {
	case "set":
		w.set(masks()[o.n%4])
	case "remove":
		w.remove()
	case "replace":
		if len(r.watches) < 24 {
			w.replace(o.n&1 != 0, o.n&2 != 0, masks()[o.n>>2%4])
		}
	case "poke":
		w.poke()
	case "hang":
		w.hang()
	}
	return true
}

// timer is what concerns timers.
func (o op) timer(r *rig) bool {
	d := time.Duration(o.n%64) * time.Millisecond
	switch o.verb {
	case "after", "every":
		if r.ended || len(r.alarms) >= 12 {
			return true
		}
		if o.verb == "every" {
			r.alarm(0, d+50*time.Millisecond)
		} else {
			r.alarm(d, 0)
		}
		return true
	case "timerStop", "timerReset":
	default:
		return false
	}
	if len(r.alarms) == 0 || r.ended {
		return true
	}
	a := r.alarms[o.which%len(r.alarms)]
	if o.verb == "timerStop" {
		a.stop()
	} else {
		a.reset(d)
	}
	return true
}

// peer is what a peer does.
func (o op) peer(s *subject) {
	switch o.verb {
	case "peerWrite":
		if !s.peerShut {
			s.sent += s.peer.write(fill(s.id, s.sent, o.n))
		}
	case "peerRead":
		s.hear(4 * o.n)
	case "peerShutdown":
		s.hangUp()
	case "peerReset":
		s.peerShut, s.peerGone = true, true
		s.peer.reset()
	case "peerClose":
		s.peerShut, s.peerGone = true, true
		s.peer.close()
	}
}

// conn is what is done to a Conn.
func (o op) conn(s *subject) {
	if s.r.ended {
		return
	}
	switch o.verb {
	case "pause":
		s.c.Pause()
		s.paused = true
	case "resume":
		s.c.Resume()
		s.paused = false
	case "write":
		s.write(o.n, 1)
	case "writev":
		s.write(o.n, 2+o.which%3)
	case "closeWrite":
		err := s.c.CloseWrite()
		if (err != nil) != (s.closing || s.finishing || s.closed > 0 || s.detached) && !s.peerShut && !s.peerGone {
			s.r.fault("conn %d: CloseWrite = %v", s.id, err)
		}
		s.finishing = true
	case "close":
		s.leave(false, [...]error{nil, errBye}[o.n%2])
	case "abort":
		s.leave(true, [...]error{nil, errBye}[o.n%2])
	case "detach":
		s.detach()
	}
}

// String is how an op is printed, and how one is written in a test.
func (o op) String() string {
	return fmt.Sprintf("{%q, %d, %d, %v}", o.verb, o.which, o.n, o.inside)
}

// Run is for gopter. It returns what the Loop did wrong, and does nothing once
// there is something.
func (o op) Run(sut commands.SystemUnderTest) commands.Result {
	r := sut.(*rig)
	switch {
	case len(r.faults) > 0:
		return []string(nil)
	case o.verb == "finish":
		r.finish()
	case o.inside:
		r.inside = append(r.inside, o)
	default:
		o.apply(r, false)
	}
	return r.faults
}

// NextState is for gopter: the model is in the rig, which the callbacks move.
func (o op) NextState(state commands.State) commands.State { return state }

// PreCondition is for gopter: any op may come at any time.
func (o op) PreCondition(commands.State) bool { return true }

// PostCondition is for gopter.
func (o op) PostCondition(_ commands.State, result commands.Result) *gopter.PropResult {
	faults := result.([]string)
	if len(faults) == 0 {
		return &gopter.PropResult{Status: gopter.PropTrue}
	}
	return &gopter.PropResult{Status: gopter.PropFalse, Labels: append([]string{"after " + o.String()}, faults...)}
}

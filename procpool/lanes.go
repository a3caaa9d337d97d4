//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess/page"
)

// The names of the descriptors that a worker has of its lanes.
const (
	laneName     = "procpool-lane-%d"
	lanePageName = "procpool-lanes"
)

// laneWords is how many words of the page of a process belong to a lane: a cache
// line, of which the first counts the requests that have begun.
const laneWords = 8

// laneBuffer is what is asked for the buffers of a lane, in bytes.
const laneBuffer = 1 << 20

// Dispatcher returns a Dispatcher to the workers of a group, which have a lane to it
// each, and call [Worker.Serve]. It is called before Run. A group can have several:
// under one name, one for each loop say, whose requests all go to one handler, and
// under others with handlers of their own. Only one under a name may have
// Options.Called, for [Worker.Client].
//
// The driver has to run as long as Run, or until the Dispatcher is closed.
func (p *Pool) Dispatcher(group, name string, driver dispatch.Driver, o *dispatch.Options) (*dispatch.Dispatcher, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ran {
		return nil, ErrRunning
	}
	var slots []*slot
	for _, s := range p.slots {
		if s.group.Name == group {
			slots = append(slots, s)
		}
	}
	if len(slots) == 0 {
		return nil, fmt.Errorf("procpool: no group %q", group)
	}
	to := lanePlan{Name: name, Calls: o.Called != nil, Max: o.Max}
	switch {
	case slots[0].group.Command.Role == "":
		return nil, fmt.Errorf("procpool: group %s is another program, which has no lanes", group)
	case to.Calls && slices.ContainsFunc(slots[0].plans, func(l lanePlan) bool { return l.Calls && l.Name == name }):
		return nil, fmt.Errorf("procpool: group %s has a Dispatcher %q for calls", group, name)
	}
	d, err := dispatch.New(len(slots), driver, o)
	if err != nil {
		return nil, fmt.Errorf("procpool: group %s: %w", group, err)
	}
	for _, s := range slots {
		s.dispatchers, s.plans = append(s.dispatchers, d), append(s.plans, to)
	}
	return d, nil
}

// lanes are those of one process.
type lanes struct {
	all     []*dispatch.Lane
	drained bool
}

// giveLanes makes the lanes of a process that is to be started, and adds the worker's
// ends to its files. Given is to be called when it has them, or never will.
func (p *Pool) giveLanes(s *slot, next *proc, files map[string]syscall.Conn) (given func(), err error) {
	if len(s.dispatchers) == 0 {
		return func() {}, nil
	}
	shared, err := page.New(len(s.dispatchers) * laneWords)
	if err != nil {
		return nil, fmt.Errorf("procpool: %w", err)
	}
	files[lanePageName] = shared
	var theirs []*uds.Conn
	given = func() {
		for _, c := range theirs {
			_ = c.Close() // it is open
		}
	}
	var users atomic.Int32
	users.Store(1)
	release := func() {
		if users.Add(-1) == 0 {
			_ = shared.Close() // it is open
		}
	}
	defer release()
	for i, d := range s.dispatchers {
		ours, end, err := lanePair()
		if err != nil {
			given()
			return nil, err
		}
		theirs = append(theirs, end)
		files[fmt.Sprintf(laneName, i)] = end
		users.Add(1)
		next.lanes.all = append(next.lanes.all, d.Attach(s.id, dispatch.Worker{
			Socket: ours, Begun: shared.Words()[i*laneWords].Load, Released: release,
			Broken: func(err error) { s.laneBroke(next, err) },
		}))
	}
	return given, nil
}

// lanePair returns both ends of a lane.
func lanePair() (ours *uds.Socket, theirs *uds.Conn, err error) {
	ours, other, err := uds.SocketPair(uds.Stream)
	if err != nil {
		return nil, nil, fmt.Errorf("procpool: %w", err)
	}
	_, err = ours.SetBuffers(laneBuffer, 0)
	if err == nil {
		_, err = other.SetBuffers(laneBuffer, 0)
	}
	if err == nil {
		theirs, err = other.Attach()
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("procpool: %w", err), ours.Close(), other.Close())
	}
	return ours, theirs, nil
}

// laneBroke has a process killed whose lane is of no use any more. One that has ended
// by itself is about to be noticed.
func (s *slot) laneBroke(p *proc, err error) {
	fault := func() {
		if slices.Contains(s.procs, p) {
			p.fault(err)
		}
	}
	if errors.Is(err, io.EOF) {
		time.AfterFunc(laneGrace, func() { s.post(fault) })
		return
	}
	s.post(fault)
}

// laneGrace is how long a process may live that has closed a lane before its time.
const laneGrace = time.Second

// ready has the process get requests.
func (l *lanes) ready() {
	for _, lane := range l.all {
		lane.Ready()
	}
}

// drain has it get no more. Calls are possible on all lanes until the requests of all
// are answered.
func (l *lanes) drain() {
	if l.drained {
		return
	}
	l.drained = true
	var left atomic.Int32
	left.Store(int32(len(l.all)))
	for _, lane := range l.all {
		lane.Halt(func() {
			if left.Add(-1) > 0 {
				return
			}
			for _, lane := range l.all {
				lane.Drain(nil)
			}
		})
	}
}

// exited settles what the process has left.
func (l *lanes) exited() {
	for _, lane := range l.all {
		lane.Exited()
	}
}

//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/page"
)

// inherited are the lanes of a worker.
type inherited struct {
	all      []inheritedLane
	handlers map[string]lane.Handler // by the name of their lanes
}

// An inheritedLane is the worker's end of a lane.
type inheritedLane struct {
	lanePlan
	conn  *uds.Conn
	begun *atomic.Int64
	calls *lane.Client // nil if there are none
}

// inheritLanes returns the lanes that a worker has from its manager.
func inheritLanes(c *userprocess.Child, h *hello) (*inherited, error) {
	l := &inherited{handlers: make(map[string]lane.Handler)}
	if len(h.Lanes) == 0 {
		return l, nil
	}
	f, err := c.File(lanePageName)
	if err != nil {
		return nil, err
	}
	shared, err := page.FromFile(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("procpool: %w", err)
	}
	if n := len(shared.Words()); n < len(h.Lanes)*laneWords {
		return nil, fmt.Errorf("procpool: %d lanes and %d words for them", len(h.Lanes), n)
	}
	for i, plan := range h.Lanes {
		conn, err := c.Conn(fmt.Sprintf(laneName, i))
		if err != nil {
			return nil, err
		}
		next := inheritedLane{lanePlan: plan, conn: conn, begun: &shared.Words()[i*laneWords]}
		if plan.Calls {
			next.calls = lane.NewClient(plan.Max, nil)
		}
		l.all = append(l.all, next)
	}
	return l, nil
}

// Handle has h answer the requests of Dispatchers with a name, rather than what is
// given to Serve. It is called before that.
func (w *Worker) Handle(name string, h lane.Handler) { w.lanes.handlers[name] = h }

// Client returns what makes calls to the Dispatcher with a name that has
// Options.Called. Calls are possible while Serve runs, until the last request is
// answered, and wait before that.
func (w *Worker) Client(name string) (*lane.Client, error) {
	for _, l := range w.lanes.all {
		if l.calls != nil && l.Name == name {
			return l.calls, nil
		}
	}
	return nil, fmt.Errorf("procpool: no Dispatcher %q takes calls of this worker", name)
}

// Serve answers the requests that come over the lanes of this worker, until the
// manager has said on all of them that nothing follows: that is when it is to go, and
// has answered what it was sent. Then it returns nil. When Cut closes it does not
// wait for that any more. It calls Ready, and starts one goroutine for each lane, and
// one for each handler if they are several at a time, which end before it returns.
//
// Requests of Group.Concurrency are handled at a time. The error is that of a lane,
// which ends all.
func (w *Worker) Serve(h lane.Handler) error {
	s := &lane.Server{Handler: h, Concurrency: w.hello.Concurrency, Busy: w.Begin, Served: w.servedOf}
	ended := make(chan error, len(w.lanes.all))
	for _, l := range w.lanes.all {
		own := h
		if named := w.lanes.handlers[l.Name]; named != nil {
			own = named
		}
		go func() { ended <- l.serve(s.For(own)) }() // ends with the lane
	}
	if err := w.Ready(); err != nil {
		return err
	}
	cut := w.Cut()
	var first error
	for left := len(w.lanes.all); left > 0; {
		select {
		case err := <-ended:
			left--
			if first == nil && err != nil {
				first = fmt.Errorf("procpool: %w", err)
				w.closeLanes()
			}
		case <-cut:
			return nil
		}
	}
	return first
}

// serve answers the requests of the lane.
func (l *inheritedLane) serve(s *lane.Server) error {
	s.Max = l.Max
	if l.calls != nil {
		return s.ServeCalls(l.conn, l.begun, l.calls)
	}
	return s.Serve(l.conn, l.begun)
}

// closeLanes ends all lanes.
func (w *Worker) closeLanes() {
	for _, l := range w.lanes.all {
		_ = l.conn.Close() // or it is closed
	}
}

// servedOf counts n requests, the first of which Begin has counted.
func (w *Worker) servedOf(n int) {
	w.bank[wordBegun].Add(int64(n - 1))
	w.ended(w.bank[wordDone].Add(int64(n)))
}

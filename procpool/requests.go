//go:build linux

package procpool

import (
	"context"
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
	conns []*uds.Conn
	kinds []laneKind
	begun []*atomic.Int64
	calls *lane.Client // nil if there are none
}

// inheritLanes returns the lanes that a worker has from its manager.
func inheritLanes(c *userprocess.Child, h *hello) (*inherited, error) {
	l := &inherited{kinds: h.Lanes}
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
	for i, kind := range h.Lanes {
		conn, err := c.Conn(fmt.Sprintf(laneName, i))
		if err != nil {
			return nil, err
		}
		l.conns, l.begun = append(l.conns, conn), append(l.begun, &shared.Words()[i*laneWords])
		if kind == callLane {
			l.calls = lane.NewClient(0, nil)
		}
	}
	return l, nil
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
	ended := make(chan error, len(w.lanes.conns))
	for i, conn := range w.lanes.conns {
		go func() { // ends with the lane
			if w.lanes.kinds[i] == callLane {
				ended <- s.ServeCalls(conn, w.lanes.begun[i], w.lanes.calls)
			} else {
				ended <- s.Serve(conn, w.lanes.begun[i])
			}
		}()
	}
	if err := w.Ready(); err != nil {
		return err
	}
	cut := w.Cut()
	var first error
	for left := len(w.lanes.conns); left > 0; {
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

// closeLanes ends all lanes.
func (w *Worker) closeLanes() {
	for _, c := range w.lanes.conns {
		_ = c.Close() // or it is closed
	}
}

// servedOf counts n requests, the first of which Begin has counted.
func (w *Worker) servedOf(n int) {
	w.bank[wordBegun].Add(int64(n - 1))
	w.ended(w.bank[wordDone].Add(int64(n)))
}

// Call sends a message to the Dispatcher of this worker that has Options.Called, and
// waits for its return until ctx ends: then it returns the cause. See
// [lane.Client.Call]. Calls are possible while Serve runs, until the last request is
// answered, and wait before that.
func (w *Worker) Call(ctx context.Context, tag uint64, payload []byte) ([]byte, error) {
	if w.lanes.calls == nil {
		return nil, errors.New("procpool: nobody takes calls of this worker")
	}
	return w.lanes.calls.Call(ctx, tag, payload)
}

//go:build linux

package procpool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// Why the context of a worker ends when the manager has asked it to finish what it
// has in hand. See [context.Cause].
var (
	ErrReplaced = errors.New("procpool: another worker has taken the place")
	ErrStopping = errors.New("procpool: the pool stops")
)

// A Worker is this process, as a member of a pool. Its methods may be called by
// several goroutines at a time, but those that say otherwise.
type Worker struct {
	*userprocess.Child
	hello   *hello
	layout  layout
	control *uds.Conn
	shared  *sharedPage
	bank    []atomic.Int64
	post    *post
	cut     chan struct{}
	ready   atomic.Bool
	retired sync.Once
	lanes   *inherited
}

// Work returns a role that is a worker of a pool. Its process is started by a Pool,
// and by nothing else.
//
// The context of fn ends when the worker is to go. It should take on nothing new
// then, finish what it has in hand, and return. The cause is ErrReplaced or
// ErrStopping, or one of [userprocess.Role]. The worker has Group.Drain for it; then
// Cut is closed, and it is killed after Group.Grace.
//
// The process ends when fn returns, as that of a userprocess.Role.
func Work(fn func(ctx context.Context, w *Worker) error) userprocess.Role {
	return func(ctx context.Context, c *userprocess.Child) error {
		w, err := newWorker(ctx, c)
		if err != nil {
			return err
		}
		working, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go w.listen(cancel) // ends with the process
		defer context.AfterFunc(ctx, func() {
			if errors.Is(context.Cause(ctx), userprocess.ErrTerminated) {
				_ = w.Retire() // somebody else than the manager wants it to go
			}
		})()
		err = fn(working, w)
		if working.Err() != nil && (errors.Is(err, working.Err()) || errors.Is(err, context.Cause(working))) {
			return nil
		}
		return err
	}
}

// newWorker returns the Worker that the manager's hello tells of.
func newWorker(ctx context.Context, c *userprocess.Child) (*Worker, error) {
	control, err := c.Pipe()
	if err != nil {
		return nil, fmt.Errorf("procpool: role %s is for a Pool to start: %w", c.Role(), err)
	}
	packet := make([]byte, 1<<20) // more than a manager's socket takes
	n, err := control.Receive(ctx, packet)
	if err != nil {
		return nil, fmt.Errorf("procpool: no hello from the manager: %w", err)
	}
	w := &Worker{Child: c, control: control, cut: make(chan struct{})}
	if w.hello, err = parseHello(packet[:n]); err != nil {
		return nil, err
	}
	w.layout = w.hello.Groups
	number, err := w.layout.number(w.hello.Group, w.hello.Slot)
	if err != nil {
		return nil, err
	}
	if w.shared, err = inheritPage(c, w.hello.Words); err != nil {
		return nil, err
	}
	if w.post, err = inheritPost(c, w.hello, number); err != nil {
		return nil, err
	}
	w.bank = w.shared.bank(number, w.hello.Bank)
	if w.lanes, err = inheritLanes(c, w.hello); err != nil {
		return nil, err
	}
	return w, nil
}

// listen does what the manager says, until the end of the process.
func (w *Worker) listen(cancel context.CancelCauseFunc) {
	var packet [1]byte
	var cut sync.Once
	for {
		n, err := w.control.Receive(context.Background(), packet[:])
		if err != nil {
			return // the manager is gone, which package userprocess deals with
		}
		if n != 1 {
			continue
		}
		w.post.in.Drain()
		switch order(packet[0]) {
		case orderReplace:
			cancel(ErrReplaced)
		case orderStop:
			cancel(ErrStopping)
		case orderCut:
			cancel(ErrStopping)
			cut.Do(func() { close(w.cut) })
		}
	}
}

// tell tells the manager a word.
func (w *Worker) tell(word word) error {
	_, err := w.control.Send(context.Background(), []byte{byte(word)})
	if err != nil {
		return fmt.Errorf("procpool: control channel: %w", err)
	}
	return nil
}

// Group returns the name of the worker's group.
func (w *Worker) Group() string { return w.hello.Group }

// Slot returns the worker's place in its group, from 0 on. Its successor has the
// same.
func (w *Worker) Slot() int { return w.hello.Slot }

// Incarnation returns how many workers the slot has had, this one included.
func (w *Worker) Incarnation() int { return w.hello.Incarnation }

// Count returns the number of slots of a group, 0 if there is none of that name.
func (w *Worker) Count(group string) int {
	for _, g := range w.layout {
		if g.Name == group {
			return g.Count
		}
	}
	return 0
}

// Ready tells the manager that the worker serves. It is due within Group.Start. In a
// reload, the predecessor begins to drain now.
func (w *Worker) Ready() error {
	w.ready.Store(true)
	return w.tell(wordReady)
}

// Retire asks for a successor. When that is ready, this worker is asked to finish.
// It goes on until then. A second Retire does nothing.
func (w *Worker) Retire() (err error) {
	w.retired.Do(func() { err = w.tell(wordRetire) })
	return err
}

// Detach leaves the group: another worker is started in this one's place at once,
// and this one goes on to what it has begun, for as long as it takes. It gets no
// messages any more but those for its incarnation, and is not part of reloads. It is
// asked to finish when the pool stops, and does not outlive the manager. Before Ready
// it is an error, and nothing happens.
func (w *Worker) Detach() error {
	if !w.ready.Load() {
		return errors.New("procpool: Detach before Ready")
	}
	w.post.in.Drain()
	return w.tell(wordDetach)
}

// Cut returns a channel that is closed when the time to finish is up: what is not
// finished will not be.
func (w *Worker) Cut() <-chan struct{} { return w.cut }

// Begin counts a request, and shows the worker as busy until End. It takes no system
// call.
func (w *Worker) Begin() { w.bank[wordBegun].Add(1) }

// End counts the end of a request. If it was the last one of Group.Requests, the
// worker retires.
func (w *Worker) End() { w.ended(w.bank[wordDone].Add(1)) }

// Served counts n requests that have been served. It is Begin and End in one.
func (w *Worker) Served(n int) {
	w.bank[wordBegun].Add(int64(n))
	w.ended(w.bank[wordDone].Add(int64(n)))
}

// ended retires after that many requests, if it is time.
func (w *Worker) ended(requests int64) {
	if limit := int64(w.hello.Requests); limit > 0 && requests >= limit {
		_ = w.Retire() // the manager is gone, or the worker soon will be
	}
}

// Words returns the counters of a slot, which all processes of the pool share: as
// many as Options.Words. They are the application's, and outlive the workers.
func (w *Worker) Words(group string, slot int) ([]atomic.Int64, error) {
	number, err := w.layout.number(group, slot)
	if err != nil {
		return nil, err
	}
	return w.shared.application(number), nil
}

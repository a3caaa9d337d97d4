//go:build linux

package task

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/lane"
)

// A Client is what a worker submits tasks with. It comes from NewClient, and works
// while the worker serves, until the last request is answered.
type Client struct{ calls *lane.Client }

// NewClient returns a Client of the Queue with a name, which accepts the workers of
// this group. It is called before Worker.Serve.
//
// Finished, if not nil, is called with what a task of Submit has come to: as handlers
// of requests are, of which it counts as one. The task may have been submitted by a
// worker that was there before this one. Reply is valid until it returns.
func NewClient(w *procpool.Worker, name string, finished func(number uint64, r Result)) (*Client, error) {
	calls, err := w.Client(laneName(name))
	if err != nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	w.Handle(laneName(name), func(r *lane.Request) {
		err := finish(r.Payload, finished)
		if err != nil {
			_ = r.Fail(err) // or the manager is gone
			return
		}
		_ = r.Reply(nil) // as above
	})
	return &Client{calls}, nil
}

// finish calls finished with an outcome.
func finish(p []byte, finished func(number uint64, r Result)) error {
	switch {
	case len(p) < outcomeHeader:
		return fmt.Errorf("task: an outcome of %d bytes", len(p))
	case finished == nil:
		return errors.New("task: nobody wants to know")
	}
	r := Result{Reply: p[outcomeHeader:]}
	if code := uint64(p[outcomeHeader-1]); code != codeNone {
		r = Result{Err: errorOf(code, string(r.Reply))}
	}
	finished(binary.LittleEndian.Uint64(p), r)
	return nil
}

// Submit has a task carried out, and returns its number, which no other task of the
// Queue has, as soon as the Queue has it, or the cause when ctx ends before: then the
// task may be carried out or not. Finished may be called before Submit returns, and is
// not called for an error. It does not retain payload.
func (c *Client) Submit(ctx context.Context, payload []byte) (number uint64, err error) {
	p, err := c.call(ctx, callSubmit, payload)
	if err == nil {
		number = binary.LittleEndian.Uint64(p)
	}
	return number, err
}

// Do has a task carried out, and waits for what it comes to, as Queue.Do. If the lane
// ends the error is lane.ErrEnded.
func (c *Client) Do(ctx context.Context, payload []byte) ([]byte, error) {
	return c.call(ctx, callDo, payload)
}

// Many is Do for several tasks at a time, as Queue.Many. It starts a goroutine for each
// one, which ends before it returns.
func (c *Client) Many(ctx context.Context, payloads [][]byte) []Result {
	results := make([]Result, len(payloads))
	var all sync.WaitGroup
	for i, p := range payloads {
		all.Go(func() { results[i].Reply, results[i].Err = c.Do(ctx, p) })
	}
	all.Wait()
	return results
}

// call makes a call, and returns the errors of the Queue.
func (c *Client) call(ctx context.Context, tag uint64, payload []byte) ([]byte, error) {
	p, err := c.calls.Call(ctx, tag, payload)
	if refused := new(lane.RefusedError); errors.As(err, &refused) {
		err = errorOf(refused.Code, refused.Text)
	}
	return p, err
}

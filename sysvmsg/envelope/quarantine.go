//go:build linux

package envelope

import (
	"context"
	"errors"

	"github.com/plait-go/plait/sysvmsg"
)

// A Quarantine keeps the messages that a Consumer does not hand out.
type Quarantine interface {
	// Put keeps a message as it was received, with its type. Reason matches
	// ErrForeign, ErrVersion, ErrCorrupt, ErrStale or ErrRejected. Put does not
	// retain p. It may wait until ctx ends; if that has ended already, it tries
	// once. With an error, the Consumer holds the message and calls Put again.
	Put(ctx context.Context, t sysvmsg.Type, p []byte, reason error) error
}

// ToQueue is a Quarantine in a second queue, where a message has the bytes and the
// type that it had. The reason is not kept: Parse tells it again, but for that of
// Reject. The queue is not to be that of the Consumer, and should have its capacity
// at least.
type ToQueue struct {
	Queue *sysvmsg.Queue
}

// Put sends the message, and waits for room in the queue until ctx ends.
func (q ToQueue) Put(ctx context.Context, t sysvmsg.Type, p []byte, _ error) error {
	err := q.Queue.TrySend(t, p)
	if errors.Is(err, sysvmsg.ErrFull) && ctx.Err() == nil {
		err = q.Queue.Send(ctx, t, p)
	}
	return err
}

// Drop is a Quarantine that keeps nothing. The Consumer's Stats still count what
// has been dropped.
type Drop struct{}

// Put forgets the message.
func (Drop) Put(context.Context, sysvmsg.Type, []byte, error) error { return nil }

//go:build linux

package procpool

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// A Source is where messages come from: a queue of the system, a broker, a socket.
type Source interface {
	// Next returns the next message, which is valid until the next call, and waits for
	// one until ctx ends. A message that it has returned is the caller's to lose. After
	// the last one it returns io.EOF.
	Next(ctx context.Context) ([]byte, error)
}

// Consume calls handle with the messages of a Source, one after the other, and counts
// them as requests. It returns nil at io.EOF, and when ctx has ended: between two
// messages, never before handle has returned. An error of handle, or of the Source,
// ends it, too.
//
// Workers that share a source compete for its messages, as far as it lets them.
func (w *Worker) Consume(ctx context.Context, s Source, handle func(ctx context.Context, message []byte) error) error {
	for ctx.Err() == nil {
		message, err := s.Next(ctx)
		switch {
		case err == io.EOF:
			return nil
		case err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
			return nil
		case err != nil:
			return fmt.Errorf("procpool: source: %w", err)
		}
		w.Begin()
		err = handle(context.WithoutCancel(ctx), message)
		w.End()
		if err != nil {
			return err
		}
	}
	return nil
}

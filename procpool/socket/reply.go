//go:build linux

package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// A reply collects what a handler writes, with room for its length in front.
type reply struct {
	b    []byte
	max  int
	full bool // more was written
}

func newReply(limit int) *reply { return &reply{b: make([]byte, headerSize), max: limit} }

// Write appends p, or nothing if the reply would be too long.
func (r *reply) Write(p []byte) (int, error) {
	if len(p) > r.max-(len(r.b)-headerSize) {
		r.full = true
		return 0, fmt.Errorf("reply of more than %d bytes: %w", r.max, ErrTooLong)
	}
	r.b = append(r.b, p...)
	return len(p), nil
}

// frame returns what is to be sent, nil for nothing.
func (r *reply) frame() []byte {
	if len(r.b) == headerSize {
		return nil
	}
	binary.BigEndian.PutUint32(r.b, uint32(len(r.b)-headerSize))
	return r.b
}

// Call sends a request on c, a new connection to a Server, and returns the reply,
// which is nil if the server closed without one. The connection is of no more use
// then; the caller closes it. Limit bounds the reply, in bytes; DefaultMax if 0.
//
// Call waits until ctx ends, or c's deadline. The error is the cause of ctx,
// ErrTooLong for an empty body, that of c, or framing's for a reply that is cut
// short, or too long. The server closes on a request that it does not like, which is
// no error here where it has read all of it.
func Call(ctx context.Context, c net.Conn, body []byte, limit int) ([]byte, error) {
	if len(body) == 0 || int64(len(body)) > 1<<32-1 {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLong, len(body))
	}
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })() // or it is closed
	answer, err := call(c, body, limit)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	return answer, nil
}

func call(c net.Conn, body []byte, limit int) ([]byte, error) {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: headerSize})
	if err != nil {
		return nil, err
	}
	bufs := net.Buffers{binary.BigEndian.AppendUint32(nil, uint32(len(body))), body}
	if _, err := bufs.WriteTo(c); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = DefaultMax
	}
	r := framing.NewReader(c, codec)
	r.Max = limit + headerSize
	frame, err := r.Next()
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return codec.Payload(frame), nil
}

//go:build linux

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// What a Server has where it says nothing.
const (
	DefaultMax     = 2 << 20 // bytes of a body
	DefaultTimeout = time.Minute
)

// The pauses before another accept(2), where descriptors or memory are short.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = time.Second
)

// headerSize is the size of a length, in bytes.
const headerSize = 4

// ErrTooLong is returned for a body that is longer than allowed, or empty.
var ErrTooLong = errors.New("socket: body too long, or empty")

// A Server serves requests. Its fields must not change while it does.
type Server struct {
	// Handle gets the body of a request, which is its own until it returns, and writes
	// the reply, in as many pieces as it likes; nothing is no reply. With an error
	// nothing is sent. Its context is not that of Serve, which ends between requests,
	// but keeps its values.
	Handle func(ctx context.Context, body []byte, reply io.Writer) error

	Max     int           // bytes of a body, and of a reply; DefaultMax if 0
	Timeout time.Duration // for the request to come, and for the reply to go; DefaultTimeout if 0

	// Begin and End, if not nil, are called around Handle.
	Begin, End func()

	stats [statsLen]atomic.Int64
}

// Stats are what has become of connections.
type Stats struct {
	Accepted int64
	Served   int64 // Handle returned nil, and the reply, if any, was sent
	Failed   int64 // Handle returned an error, or wrote more than Max
	Bad      int64 // no whole body came: bad length, end, timeout
	Unsent   int64 // the reply could not be sent
}

// Indices of Server.stats, in the order of Stats.
const (
	accepted = iota
	served
	failed
	bad
	unsent
	statsLen
)

// Stats returns what has become of connections so far. It may be called from any
// goroutine.
func (s *Server) Stats() Stats {
	return Stats{
		Accepted: s.stats[accepted].Load(), Served: s.stats[served].Load(), Failed: s.stats[failed].Load(),
		Bad: s.stats[bad].Load(), Unsent: s.stats[unsent].Load(),
	}
}

// Serve accepts from l, which stays the caller's, and serves one connection after the
// other, until ctx ends; a request in hand is finished first. Then it returns nil.
// Where descriptors or memory are short it goes on after a while; any other error of
// Accept ends it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	wake, ok := l.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return fmt.Errorf("socket: %T has no deadlines: %w", l, errors.ErrUnsupported)
	}
	if err := wake.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = wake.SetDeadline(time.Unix(1, 0)) })() // or it is closed, and Accept fails
	codec, err := s.codec()
	if err != nil {
		return err
	}
	pause := leastPause
	for ctx.Err() == nil {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = leastPause
			s.stats[accepted].Add(1)
			s.stats[s.serve(ctx, c, codec)].Add(1)
		case ctx.Err() != nil:
		case isShort(err):
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, mostPause)
		default:
			return fmt.Errorf("socket: %w", err)
		}
	}
	return nil
}

// codec returns what cuts a request.
func (s *Server) codec() (*lengthfield.Codec, error) {
	return lengthfield.New(lengthfield.Format{Type: 'N', Body: headerSize})
}

// max returns the length of the longest body.
func (s *Server) max() int {
	if s.Max <= 0 {
		return DefaultMax
	}
	return s.Max
}

// serve serves one connection, and returns which of the Stats it belongs to.
func (s *Server) serve(ctx context.Context, c net.Conn, codec *lengthfield.Codec) (outcome int) {
	defer func() { _ = c.Close() }() // what was to be sent has been, or the outcome says so
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return bad
	}
	r := framing.NewReader(c, codec)
	r.Max = s.max() + headerSize
	frame, err := r.Next()
	if err != nil || len(frame) == headerSize {
		return bad
	}
	reply := newReply(s.max())
	if err := s.handle(context.WithoutCancel(ctx), codec.Payload(frame), reply); err != nil || reply.full {
		return failed
	}
	out := reply.frame()
	if out == nil {
		return served
	}
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return unsent
	}
	if _, err := c.Write(out); err != nil {
		return unsent
	}
	return served
}

// handle calls Handle, and what is to be called around it.
func (s *Server) handle(ctx context.Context, body []byte, reply io.Writer) error {
	if s.Begin != nil {
		s.Begin()
	}
	if s.End != nil {
		defer s.End()
	}
	return s.Handle(ctx, body, reply)
}

// isShort reports whether accept(2) failed for want of something that others may give
// back.
func isShort(err error) bool {
	for _, short := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}

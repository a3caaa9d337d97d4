//go:build linux

package loop

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/procpool/lane"
)

// Grace is for requests on their way when a stop begins.
const Grace = 100 * time.Millisecond

// A Worker is a loop and its connections. Nobody else touches anything of it, but to
// read what it counts.
type Worker struct {
	Config  *echo.Config
	Log     *slog.Logger
	Loop    *epoll.Loop
	Handler echo.Handler
	Counts  echo.Stats

	// Number returns what clients know a connection by, if that is not its ID.
	Number func(id uint64) uint64

	Got int // messages from other workers

	inline  *lane.Request // a frame that Handler answers at once
	current *conn         // that it came on
	failed  error         // to write the answer
	written int           // bytes of answers that are not counted
}

// New returns the Worker of a loop, which is the State of the loop from now on. The
// fields that concern other workers are still to be filled in.
func New(config *echo.Config, log *slog.Logger, l *epoll.Loop, counts echo.Stats) *Worker {
	w := &Worker{Config: config, Log: log, Loop: l, Counts: counts}
	l.State = w
	w.Handler = echo.Handler{Codec: config.Codec, Commands: config.Frame == "eof", Heard: func() int { return w.Got }}
	w.inline = lane.NewRequest(func(_ *lane.Request, frame []byte, err error) error {
		n := 0
		if err == nil {
			n, err = w.current.Write(frame)
		}
		w.written, w.failed = w.written+n, err
		return err
	})
	return w
}

// number returns what clients know c by.
func (w *Worker) number(c *epoll.Conn) uint64 {
	if w.Number == nil {
		return c.ID()
	}
	return w.Number(c.ID())
}

// Hear notes a message from a worker.
func (w *Worker) Hear(text string) {
	w.Got++
	w.Log.Debug("message", "text", text)
}

// Stop ends every connection once it has answered what comes within Grace, and then
// the loop.
func (w *Worker) Stop() {
	w.Loop.After(Grace, w.Finish)
	w.Loop.Drain(nil)
}

// Finish ends every connection once it has answered what has arrived.
func (w *Worker) Finish() {
	for c := range w.Loop.Conns() {
		of(c).finish()
	}
}

// A Client is a connection to a client, the State of an epoll.Conn.
type Client interface {
	// WritePayload writes payload as one frame.
	WritePayload(payload []byte) error

	// End closes the connection when it has answered what it has in hand.
	End()
}

// Send writes text to a connection, unless its client does not read. C may be nil,
// for none, and number is what clients know it by.
func Send(c *epoll.Conn, number uint64, text []byte) error {
	switch {
	case c == nil || c.State == nil:
		return NoConn(number)
	case c.Full():
		return fmt.Errorf("connection %d takes no more now, %d bytes wait for it", number, c.Unsent())
	}
	return c.State.(Client).WritePayload(text)
}

// Close closes a connection, as Send.
func Close(c *epoll.Conn, number uint64) error {
	if c == nil || c.State == nil {
		return NoConn(number)
	}
	c.State.(Client).End()
	return nil
}

// NoConn is the error for a number that no connection has.
func NoConn(number uint64) error { return fmt.Errorf("no connection %d", number) }

//go:build linux

package loop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/lane"
)

// A conn is a connection to a client, the State of its epoll.Conn.
//
// Frames are echoed as they come. A command waits for the end of the round, when
// the replies before it have been sent, since it may block the loop; and its
// answer may come later still. The requests behind it wait in order: those that
// have been read in the decoder, the others in the socket.
type conn struct {
	*epoll.Conn
	worker  *Worker
	in      framing.Decoder
	remote  netip.AddrPort // of a TCP connection
	command []byte         // the frame that is held
	phase   phase
	ending  Ending
}

// A phase is what becomes of a request.
type phase uint8

const (
	open   phase = iota // it is answered
	held                // it waits for the end of a round
	asking              // it waits for an answer to the one before it
)

// Clients returns the Handler of connections. It finds their Worker by their loop.
func Clients(config *echo.Config) *epoll.Handler {
	opened := func(c *epoll.Conn) error {
		w := c.Loop().State.(*Worker)
		w.Counts.Accepted.Add(1)
		c.State = &conn{Conn: c, worker: w, remote: Remote(c.FD()), in: framing.Decoder{Splitter: config.Codec, Max: config.Max}}
		return nil
	}
	return &epoll.Handler{
		Opened:  opened,
		Data:    func(c *epoll.Conn, p []byte) error { return of(c).data(p) },
		EOF:     func(c *epoll.Conn) error { return of(c).eof() },
		Drained: func(c *epoll.Conn) error { return of(c).goOn() },
		Closed:  func(c *epoll.Conn, reason error) { of(c).closed(reason) },
		Limits:  &epoll.Limits{Frame: config.Max},
	}
}

// of returns the conn of c, or nil if c is nil or has not been opened yet.
func of(c *epoll.Conn) *conn {
	if c == nil || c.State == nil {
		return nil
	}
	return c.State.(*conn)
}

// Remote returns the peer's address, none if that is a UNIX socket's.
func Remote(fd int) netip.AddrPort {
	sa, _ := unix.Getpeername(fd) // fails if the peer has gone already
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// data answers what was read.
func (c *conn) data(p []byte) error {
	c.worker.Counts.BytesIn.Add(int64(len(p)))
	c.ending.Read(len(p))
	return c.serve(p)
}

// serve answers the requests that are complete with p, up to a command.
func (c *conn) serve(p []byte) (err error) {
	w, requests := c.worker, 0
	for frame, broken := range c.in.Frames(p) {
		if err = broken; err != nil {
			break
		}
		requests++
		if w.Handler.Commands && w.Handler.IsCommand(w.Config.Codec.Payload(frame)) {
			c.hold(bytes.Clone(frame))
			break
		}
		w.current = c
		w.inline.Call(w.Handler.Serve, w.number(c.Conn), frame)
		if err = w.failed; err != nil {
			break
		}
	}
	w.Counts.Requests.Add(int64(requests))
	w.Counts.BytesOut.Add(int64(w.written))
	w.written = 0
	if err == nil {
		c.endIfDone()
	}
	return err
}

// hold has the requests that follow wait until the end of the round: command,
// unless that is nil, then what is in the decoder.
func (c *conn) hold(command []byte) {
	c.command, c.phase = command, held
	c.Pause()
	c.worker.Loop.Defer(func() {
		if c.Loop().Conn(c.ID()) == nil {
			return // closed meanwhile
		}
		if err := c.goOn(); err != nil {
			_ = c.Close(err) // it is open
		}
	})
}

// goOn goes on with what is held, unless the client does not read: replies must not
// pile up. It is called when a round ends, and it is known if reading has stopped
// for that; and by Drained, when that is over.
func (c *conn) goOn() error {
	switch {
	case c.phase != held:
	case c.Full():
		c.endIfDone()
	case c.command != nil:
		c.phase = asking
		lane.NewRequest(c.answered).Call(c.worker.Handler.Serve, c.worker.number(c.Conn), c.command)
	default:
		c.phase = open
		if err := c.serve(nil); err != nil {
			return err
		}
		if c.phase == open {
			c.Resume()
		}
	}
	return nil
}

// answered writes the reply to the command, if c is still there, and goes on.
func (c *conn) answered(_ *lane.Request, frame []byte, err error) error {
	if err == nil {
		err = c.writeFrame(frame)
	}
	if err != nil {
		_ = c.Close(err) // or it is closed, and that was the error
		return err
	}
	c.hold(nil)
	return nil
}

// WritePayload writes payload as one frame.
func (c *conn) WritePayload(payload []byte) error {
	frame, err := c.worker.Config.Codec.AppendFrame(nil, payload)
	if err != nil {
		return err
	}
	return c.writeFrame(frame)
}

func (c *conn) writeFrame(frame []byte) error {
	n, err := c.Write(frame)
	c.worker.Counts.BytesOut.Add(int64(n))
	return err
}

// eof is called when the client has sent everything. What was written for it goes
// out, however long that takes.
func (c *conn) eof() error {
	if err := Inside(&c.in); err != nil {
		return err
	}
	return c.CloseWrite()
}

// Inside returns an error if a client has ended inside a frame.
func Inside(in *framing.Decoder) error {
	if in.Close() == nil {
		return nil
	}
	begun := in.Buffered()
	at := &framing.Error{Offset: in.Offset(), Head: string(begun[:min(len(begun), 16)]), Err: io.ErrUnexpectedEOF}
	return fmt.Errorf("client ended inside a frame, %d bytes of it came: %w", len(begun), at)
}

// End closes c when it has answered what it has in hand.
func (c *conn) End() {
	c.ending.Now()
	c.endIfDone()
}

// finish closes c when it has answered what has arrived by now.
func (c *conn) finish() {
	c.ending.Soon(c.FD())
	c.endIfDone()
}

// endIfDone closes c if it is to end and has answered all, or its client does not
// read the replies.
func (c *conn) endIfDone() {
	if c.ending.Due() && (c.phase == open || c.phase == held && c.Full()) {
		_ = c.Close(nil) // it is open
	}
}

// closed is told why c was closed. What is the client's fault goes to the log.
func (c *conn) closed(reason error) {
	Closed(c.worker.Log, &c.worker.Counts, c.worker.number(c.Conn), c.remote, reason)
}

// Closed counts a connection that was closed, and logs what is the client's fault.
func Closed(log *slog.Logger, counts *echo.Stats, number uint64, remote netip.AddrPort, reason error) {
	counts.Closed.Add(1)
	if reason == nil || reason == io.EOF || errors.Is(reason, epoll.ErrStopped) {
		return
	}
	counts.Errors.Add(1)
	switch {
	case errors.Is(reason, os.ErrDeadlineExceeded):
		reason = fmt.Errorf("client does not read: %w", reason)
	case errors.Is(reason, unix.ECONNRESET), errors.Is(reason, unix.EPIPE):
		reason = fmt.Errorf("client broke off: %w", reason)
	}
	log = log.With("conn", number)
	if remote.IsValid() {
		log = log.With("remote", remote)
	}
	log.Warn("connection closed", "err", reason)
}

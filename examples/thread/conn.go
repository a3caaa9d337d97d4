//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/framing"
)

const (
	linger   = time.Second // for a client to close after us
	maxMail  = 64 << 10    // bytes that wait for a client, unless it is one text
	textCost = 64          // bytes that a text takes besides its own
)

// errEnded says that the server, not the client, ends the connection.
var errEnded = errors.New("connection ended")

// A conn is a connection to a client. One goroutine alone reads from it and
// writes to it; another one leaves it mail, with post or end, and wakes it up
// through its read deadline.
type conn struct {
	net.Conn
	id    uint64
	codec echo.Codec
	stats *echo.Stats
	in    *framing.Reader
	out   *framing.Writer

	mu    sync.Mutex
	mail  [][]byte  // payloads to be written
	size  int       // bytes that mail takes
	until time.Time // when to end; zero: when the client does
	woken bool      // the read deadline is in the past, for mail's sake
	over  bool      // mail is not taken any more
}

func newConn(nc net.Conn, config *echo.Config, stats *echo.Stats) *conn {
	c := &conn{Conn: nc, codec: config.Codec, stats: stats}
	c.in = framing.NewReader(c, config.Codec)
	c.in.Max = config.Max
	c.out = framing.NewWriter(c, config.Codec)
	return c
}

// answer answers every request until the connection is to be closed. It returns
// an error if that is the client's fault: it broke the framing, left without its
// replies, or does not read them.
func (c *conn) answer(h *echo.Handler) error {
	for frame, err := range c.in.All() {
		payload := c.codec.Payload(frame)
		if err == nil && h.Blocks(payload) {
			err = c.out.Flush()
		}
		if err == nil {
			_, err = c.out.Write(h.Reply(c.id, payload))
		}
		switch {
		case err == nil:
		case errors.Is(err, errEnded):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return c.cut()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("client does not read: %w", err)
		default:
			return err
		}
	}
	return nil
}

// cut returns the error for a stream that ends inside a frame.
func (c *conn) cut() error {
	begun := c.in.Buffered()
	at := &framing.Error{Offset: c.in.Offset(), Head: string(begun[:min(len(begun), 16)]), Err: io.ErrUnexpectedEOF}
	return fmt.Errorf("client ended inside a frame, %d bytes of it came: %w", len(begun), at)
}

// Read is where the Reader goes when it has no whole frame in hand. This is the
// moment to write all replies at once, and what came by mail, before it blocks.
func (c *conn) Read(p []byte) (int, error) {
	for {
		ended, err := c.collect()
		if err == nil {
			err = c.out.Flush()
		}
		if err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		c.stats.BytesIn.Add(int64(n))
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if ended {
			return 0, errEnded
		}
	}
}

// Write is where the Writer's frames go. It blocks while the client does not
// read, so nothing is read meanwhile, either.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.stats.BytesOut.Add(int64(n))
	return n, err
}

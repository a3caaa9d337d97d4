//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/plait-go/plait/framing"
)

// post leaves text for the client, to be written as one frame between two
// replies. It does not block, and refuses text while too much is waiting. The
// text goes with the connection if that ends first.
func (c *conn) post(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return fmt.Errorf("no connection %d", c.id)
	}
	size := c.size + len(text) + textCost
	if c.size > 0 && size > maxMail {
		return fmt.Errorf("connection %d takes no more now, %d texts wait for it", c.id, len(c.mail))
	}
	c.mail, c.size = append(c.mail, text), size
	c.woken = true
	return c.SetReadDeadline(time.Unix(1, 0))
}

// end has the connection answer what arrives before at, and close. It has drain
// to write the answers. The first call decides.
func (c *conn) end(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return
	}
	c.until = at
	err := errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at.Add(drain)))
	if err != nil {
		_ = c.Close() // it cannot be asked to end
	}
}

// collect takes the mail to the Writer, and reports whether it is time to end.
func (c *conn) collect() (ended bool, err error) {
	c.mu.Lock()
	mail := c.mail
	ended = !c.until.IsZero() && !time.Now().Before(c.until)
	if c.woken {
		c.mail, c.size, c.woken = nil, 0, false
		err = c.SetReadDeadline(c.until) // none, if that is zero
	}
	c.mu.Unlock()
	for _, text := range mail {
		if err == nil {
			_, err = c.out.Write(text)
		}
	}
	return ended, err
}

// finish closes the connection, which answer ended with err.
func (c *conn) finish(err error) {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	if broken := (*framing.Error)(nil); err == nil || errors.As(err, &broken) {
		c.takeLeave()
	}
	_ = c.Close() // it is over, whatever that returns
}

// takeLeave gives a client that is still there what was written for it, then the
// end of the stream. What it still sends is thrown away for a moment: closing
// with unread input resets the connection, and the client would lose replies
// that it has not read.
func (c *conn) takeLeave() {
	if _, err := c.collect(); err != nil {
		return
	}
	if c.SetWriteDeadline(time.Now().Add(drain)) != nil || c.out.Flush() != nil {
		return
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	if c.SetReadDeadline(time.Now().Add(linger)) == nil {
		_, _ = io.Copy(io.Discard, c.Conn) // until the client closes, or linger is over
	}
}

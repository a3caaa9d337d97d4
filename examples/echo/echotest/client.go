//go:build linux

package echotest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo"
)

// A Client is a connection to a server. Its methods fail the test, after
// Patience at the latest.
type Client struct {
	net.Conn
	R *bufio.Reader // of the Conn
}

// Dial connects to the server.
func (p *Process) Dial(tb testing.TB) *Client {
	tb.Helper()
	nc, err := net.Dial(p.network())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = nc.Close() }) // the test may have closed it
	if err := nc.SetDeadline(time.Now().Add(Patience)); err != nil {
		tb.Fatal(err)
	}
	return &Client{nc, bufio.NewReader(nc)}
}

// Send writes data.
func (c *Client) Send(tb testing.TB, data string) {
	tb.Helper()
	if _, err := io.WriteString(c, data); err != nil {
		tb.Fatal(err)
	}
}

// Expect reads what must be want.
func (c *Client) Expect(tb testing.TB, want string) {
	tb.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.R, got); err != nil || string(got) != want {
		i := 0
		for i < n && got[i] == want[i] {
			i++
		}
		tb.Fatalf("reply of %d bytes (%v), want %d, differs at byte %d: %.60q, want %.60q",
			n, err, len(want), i, got[i:n], want[i:])
	}
}

// Ask sends a line and returns the one that comes back.
func (c *Client) Ask(tb testing.TB, line string) string {
	tb.Helper()
	c.Send(tb, line+"\r\n")
	return c.Line(tb)
}

// Line reads a line that must end with CRLF.
func (c *Client) Line(tb testing.TB) string {
	tb.Helper()
	line, err := c.R.ReadString('\n')
	text, ok := strings.CutSuffix(line, "\r\n")
	if err != nil || !ok {
		tb.Fatalf("line = %q, %v; want one that ends with CRLF", line, err)
	}
	return text
}

// ExpectEnd reads the end of the stream, which must come without a reset and
// without another byte, and closes the client's end as well.
func (c *Client) ExpectEnd(tb testing.TB) {
	tb.Helper()
	if rest, err := io.ReadAll(c.R); err != nil || len(rest) > 0 {
		tb.Fatalf("at the end: %.60q, %v; want an end of the stream", rest, err)
	}
	c.HangUp(tb)
}

// HangUp closes the connection.
func (c *Client) HangUp(tb testing.TB) {
	tb.Helper()
	if err := c.Close(); err != nil {
		tb.Fatal(err)
	}
}

// CloseWrite tells the server that nothing follows.
func (c *Client) CloseWrite(tb testing.TB) {
	tb.Helper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		tb.Fatalf("%T cannot close one direction", c.Conn)
	}
	if err := half.CloseWrite(); err != nil {
		tb.Fatal(err)
	}
}

// Numbered returns n lines, each different.
func Numbered(n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString("line ")
		b.WriteString(strings.Repeat("x", i%50))
		b.WriteString(time.Duration(i).String())
		b.WriteString("\r\n")
	}
	return b.String()
}

// Begun waits until the server has begun n requests of other clients.
func (p *Process) Begun(tb testing.TB, n int64) {
	tb.Helper()
	c := p.Dial(tb)
	p.BegunOf(tb, c, n)
	c.HangUp(tb)
}

// BegunOf waits until the server has begun n requests besides those of c, which
// asks it, from now on.
func (p *Process) BegunOf(tb testing.TB, c *Client, n int64) {
	tb.Helper()
	for asked := int64(1); ; asked++ {
		if p.Report(tb, c).Requests-asked >= n {
			return
		}
	}
}

// Report returns what the server answers to /stats.
func (p *Process) Report(tb testing.TB, c *Client) (r echo.Report) {
	tb.Helper()
	line := c.Ask(tb, "/stats")
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		tb.Fatalf("/stats = %s: %v", line, err)
	}
	return r
}

// TryReport is Report on a connection of its own, which may break: it reports whether
// the server has answered.
func (p *Process) TryReport() (r echo.Report, ok bool) {
	nc, err := net.Dial(p.network())
	if err != nil {
		return r, false
	}
	defer func() { _ = nc.Close() }() // only the answer matters
	if err := nc.SetDeadline(time.Now().Add(Patience)); err != nil {
		return r, false
	}
	if _, err := io.WriteString(nc, "/stats\r\n"); err != nil {
		return r, false
	}
	line, err := bufio.NewReader(nc).ReadBytes('\n')
	if err != nil {
		return r, false
	}
	return r, json.Unmarshal(line, &r) == nil
}

// network returns what to dial.
func (p *Process) network() (network, addr string) {
	if path, ok := strings.CutPrefix(p.Addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", p.Addr
}

// DialAll returns n clients and the IDs of their connections. The first ones are
// of different workers, as many as there are.
func (p *Process) DialAll(tb testing.TB, n int) (clients []*Client, ids []string) {
	tb.Helper()
	for range n {
		c := p.Dial(tb)
		clients, ids = append(clients, c), append(ids, c.Ask(tb, "/id"))
	}
	return clients, ids
}

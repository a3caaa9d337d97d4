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
func (p *Process) Dial(t testing.TB) *Client {
	t.Helper()
	nc, err := net.Dial(p.network())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() }) // the test may have closed it
	if err := nc.SetDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	return &Client{nc, bufio.NewReader(nc)}
}

// Send writes data.
func (c *Client) Send(t testing.TB, data string) {
	t.Helper()
	if _, err := io.WriteString(c, data); err != nil {
		t.Fatal(err)
	}
}

// Expect reads what must be want.
func (c *Client) Expect(t testing.TB, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.R, got); err != nil || string(got) != want {
		i := 0
		for i < n && got[i] == want[i] {
			i++
		}
		t.Fatalf("reply of %d bytes (%v), want %d, differs at byte %d: %.60q, want %.60q",
			n, err, len(want), i, got[i:n], want[i:])
	}
}

// Ask sends a line and returns the one that comes back.
func (c *Client) Ask(t testing.TB, line string) string {
	t.Helper()
	c.Send(t, line+"\r\n")
	return c.Line(t)
}

// Line reads a line that must end with CRLF.
func (c *Client) Line(t testing.TB) string {
	t.Helper()
	line, err := c.R.ReadString('\n')
	text, ok := strings.CutSuffix(line, "\r\n")
	if err != nil || !ok {
		t.Fatalf("line = %q, %v; want one that ends with CRLF", line, err)
	}
	return text
}

// ExpectEnd reads the end of the stream, which must come without a reset and
// without another byte, and closes the client's end as well.
func (c *Client) ExpectEnd(t testing.TB) {
	t.Helper()
	if rest, err := io.ReadAll(c.R); err != nil || len(rest) > 0 {
		t.Fatalf("at the end: %.60q, %v; want an end of the stream", rest, err)
	}
	c.HangUp(t)
}

// HangUp closes the connection.
func (c *Client) HangUp(t testing.TB) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// CloseWrite tells the server that nothing follows.
func (c *Client) CloseWrite(t testing.TB) {
	t.Helper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		t.Fatalf("%T cannot close one direction", c.Conn)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
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
func (p *Process) Begun(t testing.TB, n int64) {
	t.Helper()
	c := p.Dial(t)
	p.BegunOf(t, c, n)
	c.HangUp(t)
}

// BegunOf waits until the server has begun n requests besides those of c, which
// asks it, from now on.
func (p *Process) BegunOf(t testing.TB, c *Client, n int64) {
	t.Helper()
	for asked := int64(1); ; asked++ {
		if p.Report(t, c).Requests-asked >= n {
			return
		}
	}
}

// Report returns what the server answers to /stats.
func (p *Process) Report(t testing.TB, c *Client) (r echo.Report) {
	t.Helper()
	line := c.Ask(t, "/stats")
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("/stats = %s: %v", line, err)
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
func (p *Process) DialAll(t testing.TB, n int) (clients []*Client, ids []string) {
	t.Helper()
	for range n {
		c := p.Dial(t)
		clients, ids = append(clients, c), append(ids, c.Ask(t, "/id"))
	}
	return clients, ids
}

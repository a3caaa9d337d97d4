//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

// A process is a server that runs, and is killed at the latest when its test ends.
type process struct {
	cmd    *exec.Cmd
	addr   string // as after "listening on"
	stdout *bufio.Reader
	stderr chan string // lines; closed at the end of it
	seen   []string    // lines of stderr, up to where the test looked
}

// command returns the command that runs this program as the server.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0 halt_on_error=1")
	return cmd
}

// start starts a server on a free port, unless args say otherwise, and waits
// until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, command(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...))
}

// startCommand starts cmd, which is to be a server, and waits until it is ready.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdout: bufio.NewReader(out), stderr: make(chan string, 4096)}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("stderr of the server:\n%s", strings.Join(p.seen, "\n"))
		}
	})
	go func() { // ends with the server
		defer close(p.stderr)
		for s := bufio.NewScanner(errs); s.Scan(); {
			p.stderr <- s.Text()
		}
	}()
	line, err := p.stdout.ReadString('\n')
	addr, ok := strings.CutPrefix(line, "listening on ")
	if err != nil || !ok {
		t.Fatalf("first line on stdout = %q, %v; want listening on ADDR", line, err)
	}
	p.addr = strings.TrimSuffix(addr, "\n")
	return p
}

// said waits for a line on stderr that has all parts in it.
func (p *process) said(t *testing.T, parts ...string) {
	t.Helper()
	expired := time.After(patience)
	for {
		select {
		case line, ok := <-p.stderr:
			if !ok {
				t.Fatalf("stderr ended without a line that has %q", parts)
			}
			p.seen = append(p.seen, line)
			if hasAll(line, parts) {
				return
			}
		case <-expired:
			t.Fatalf("no line on stderr has %q", parts)
		}
	}
}

func hasAll(line string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(line, part) {
			return false
		}
	}
	return true
}

// signal sends sig to the server.
func (p *process) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end of the server, which must not have said more than one
// line on stdout, and returns its exit code and the lines on stderr that have
// all parts in them.
func (p *process) wait(t *testing.T, parts ...string) (code int, lines []string) {
	t.Helper()
	for line := range p.stderr {
		p.seen = append(p.seen, line)
	}
	if rest, err := io.ReadAll(p.stdout); err != nil || len(rest) > 0 {
		t.Errorf("after the first line stdout had %q, %v", rest, err)
	}
	_ = p.cmd.Wait() // the code tells
	for _, line := range p.seen {
		if hasAll(line, parts) {
			lines = append(lines, line)
		}
	}
	return p.cmd.ProcessState.ExitCode(), lines
}

// stop stops the server gracefully, and returns its complaints.
func (p *process) stop(t *testing.T) (complaints []string) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	code, complaints := p.wait(t, "level=WARN")
	if code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	return complaints
}

// A client is a connection to a server. Its methods fail the test, after
// patience at the latest.
type client struct {
	net.Conn
	r *bufio.Reader
}

func (p *process) dial(t *testing.T) *client {
	t.Helper()
	network, addr := "tcp", p.addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	nc, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() }) // the test may have closed it
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{nc, bufio.NewReader(nc)}
}

// send writes data.
func (c *client) send(t *testing.T, data string) {
	t.Helper()
	if _, err := io.WriteString(c, data); err != nil {
		t.Fatal(err)
	}
}

// expect reads what must be want.
func (c *client) expect(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		i := 0
		for i < n && got[i] == want[i] {
			i++
		}
		t.Fatalf("reply of %d bytes (%v), want %d, differs at byte %d: %.60q, want %.60q",
			n, err, len(want), i, got[i:n], want[i:])
	}
}

// ask sends a line and returns the one that comes back.
func (c *client) ask(t *testing.T, line string) string {
	t.Helper()
	c.send(t, line+"\r\n")
	return c.line(t)
}

// line reads a line that must end with CRLF.
func (c *client) line(t *testing.T) string {
	t.Helper()
	line, err := c.r.ReadString('\n')
	text, ok := strings.CutSuffix(line, "\r\n")
	if err != nil || !ok {
		t.Fatalf("line = %q, %v; want one that ends with CRLF", line, err)
	}
	return text
}

// expectEnd reads the end of the stream, which must come without a reset and
// without another byte, and closes the client's end as well.
func (c *client) expectEnd(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		t.Fatalf("at the end: %.60q, %v; want an end of the stream", rest, err)
	}
	c.hangUp(t)
}

// hangUp closes the connection.
func (c *client) hangUp(t *testing.T) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// closeWrite tells the server that nothing follows.
func (c *client) closeWrite(t *testing.T) {
	t.Helper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		t.Fatalf("%T cannot close one direction", c.Conn)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// numbered returns n lines, each different.
func numbered(n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString("line ")
		b.WriteString(strings.Repeat("x", i%50))
		b.WriteString(time.Duration(i).String())
		b.WriteString("\r\n")
	}
	return b.String()
}

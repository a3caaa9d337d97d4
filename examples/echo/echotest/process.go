//go:build linux

package echotest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience bounds every wait of a test.
const Patience = 20 * time.Second

// A Process is a server that runs, and is killed at the latest when its test ends.
type Process struct {
	Cmd    *exec.Cmd
	Addr   string // as after "listening on"
	stdout *bufio.Reader
	stderr chan string // lines; closed at the end of it
	seen   []string    // lines of stderr, up to where the test looked
}

// Start starts cmd, which is to be a server, and waits until it is ready.
func Start(tb testing.TB, cmd *exec.Cmd) *Process {
	tb.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &Process{Cmd: cmd, stdout: bufio.NewReader(out), stderr: make(chan string, 4096)}
	tb.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			_ = cmd.Wait()
		}
		if tb.Failed() {
			tb.Logf("stderr of the server:\n%s", strings.Join(p.seen, "\n"))
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
		tb.Fatalf("first line on stdout = %q, %v; want listening on ADDR", line, err)
	}
	p.Addr = strings.TrimSuffix(addr, "\n")
	return p
}

// Said waits for a line on stderr that has all parts in it.
func (p *Process) Said(tb testing.TB, parts ...string) {
	tb.Helper()
	expired := time.After(Patience)
	for {
		select {
		case line, ok := <-p.stderr:
			if !ok {
				tb.Fatalf("stderr ended without a line that has %q", parts)
			}
			p.seen = append(p.seen, line)
			if hasAll(line, parts) {
				return
			}
		case <-expired:
			tb.Fatalf("no line on stderr has %q", parts)
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

// Signal sends sig to the server.
func (p *Process) Signal(tb testing.TB, sig os.Signal) {
	tb.Helper()
	if err := p.Cmd.Process.Signal(sig); err != nil {
		tb.Fatal(err)
	}
}

// Wait waits for the end of the server, which must not have said more than one
// Line on stdout, and returns its exit code and the lines on stderr that have
// all parts in them.
func (p *Process) Wait(tb testing.TB, parts ...string) (code int, lines []string) {
	tb.Helper()
	for line := range p.stderr {
		p.seen = append(p.seen, line)
	}
	if rest, err := io.ReadAll(p.stdout); err != nil || len(rest) > 0 {
		tb.Errorf("after the first line stdout had %q, %v", rest, err)
	}
	_ = p.Cmd.Wait() // the code tells
	for _, line := range p.seen {
		if hasAll(line, parts) {
			lines = append(lines, line)
		}
	}
	return p.Cmd.ProcessState.ExitCode(), lines
}

// Stop stops the server gracefully, and returns its complaints.
func (p *Process) Stop(tb testing.TB) (complaints []string) {
	tb.Helper()
	p.Signal(tb, syscall.SIGTERM)
	code, complaints := p.Wait(tb, "level=WARN")
	if code != 0 {
		tb.Errorf("exit code = %d, want 0", code)
	}
	return complaints
}

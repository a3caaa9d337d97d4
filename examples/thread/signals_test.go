//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
)

// begun waits until the server has begun n requests of other clients.
func (p *process) begun(t *testing.T, n int64) {
	t.Helper()
	c := p.dial(t)
	p.begunOf(t, c, n)
	c.hangUp(t)
}

// begunOf waits until the server has begun n requests besides those of c, which
// asks it, from now on.
func (p *process) begunOf(t *testing.T, c *client, n int64) {
	t.Helper()
	for asked := int64(1); ; asked++ {
		if p.report(t, c).Requests-asked >= n {
			return
		}
	}
}

// report returns what the server answers to /stats.
func (p *process) report(t *testing.T, c *client) (r echo.Report) {
	t.Helper()
	line := c.ask(t, "/stats")
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("/stats = %s: %v", line, err)
	}
	return r
}

func TestStopAnswersWhatIsInHand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
		lines := numbered(2000)
		busy, asleep, idle, partial := p.dial(t), p.dial(t), p.dial(t), p.dial(t)
		asleep.send(t, "/sleep 300\r\n")
		partial.send(t, "hello\r\nhalf a li")
		partial.expect(t, "hello\r\n")
		if got := idle.ask(t, "hello"); got != "hello" {
			t.Fatalf("echo = %q", got)
		}
		busy.send(t, lines)
		p.begun(t, 2003) // that many were sent

		p.signal(t, sig)
		busy.expect(t, lines)
		busy.expectEnd(t)
		asleep.expect(t, "slept\r\n")
		asleep.expectEnd(t)
		idle.expectEnd(t)
		partial.expectEnd(t)
		if code, complaints := p.wait(t, "level=WARN"); code != 0 || complaints != nil {
			t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
		}
	}
}

// A client that goes on sending gets replies to what it sent first, in order and
// whole, then the end.
func TestStopInTheMiddleOfTraffic(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	line := strings.Repeat("x", 98) + "\r\n"
	go func() { // ends with the connection
		for {
			if _, err := io.WriteString(c, line+line+line); err != nil {
				return
			}
		}
	}()
	c.expect(t, strings.Repeat(line, 1000))
	p.signal(t, syscall.SIGTERM)
	rest, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") { // it never stopped sending
		t.Error(err)
	}
	c.hangUp(t)
	whole := len(rest) / len(line)
	if len(rest)%len(line) != 0 || !bytes.Equal(rest, []byte(strings.Repeat(line, whole))) {
		t.Errorf("%d bytes came, want whole lines of %d", len(rest), len(line))
	}
	if code, _ := p.wait(t); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
}

// What arrives while a stop is young is answered, though nobody is accepted.
func TestStopAnswersWhatIsOnItsWay(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.send(t, "hello\r\n")
	c.expect(t, "hello\r\n")
	begin := time.Now()
	p.signal(t, syscall.SIGTERM)
	for {
		c.send(t, "late\r\n")
		if time.Since(begin) > loop.Grace/2 {
			break // too late, perhaps
		}
		c.expect(t, "late\r\n")
	}
	if _, err := io.ReadAll(c.r); err != nil {
		t.Error(err)
	}
	if nc, err := net.Dial("tcp", p.addr); err == nil {
		_ = nc.Close() // it should not be there
		t.Error("a connection was accepted")
	}
	c.hangUp(t)
	if code, complaints := p.wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

// Everything that was sent before the signal is answered, also what waits for an
// answer from another worker.
func TestStopUnderLoad(t *testing.T) {
	const n, rounds = 40, 100
	p := start(t, "-workers", "4")
	clients, ids := p.dialAll(t, n)
	for i, c := range clients {
		var all strings.Builder
		for k := range rounds {
			fmt.Fprintf(&all, "line %d\r\n/send %s text\r\n", k, ids[(i+1)%n])
		}
		c.send(t, all.String())
	}
	p.signal(t, syscall.SIGTERM)
	for i, c := range clients {
		all, err := io.ReadAll(c.r)
		if err != nil {
			t.Errorf("client %d: %v", i, err)
		}
		own := strings.ReplaceAll(string(all), "text\r\n", "")
		own = strings.ReplaceAll(own, "error: no connection "+ids[(i+1)%n]+"\r\n", "sent\r\n") // stopped earlier
		for k := range rounds {
			want := fmt.Sprintf("line %d\r\nsent\r\n", k)
			if !strings.HasPrefix(own, want) {
				t.Fatalf("client %d: replies go on with %.50q, want %q", i, own, want)
			}
			own = own[len(want):]
		}
		c.hangUp(t)
	}
	if code, complaints := p.wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

// A waits for the worker of b, which sleeps, when the time for requests on their
// way is over. What has come from a meanwhile, and is not read yet, is owed as well.
func TestStopAnswersWhatWaits(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.dialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.send(t, "/sleep 500\r\n")
	p.begunOf(t, c, 4)
	a.send(t, "/send "+ids[1]+" hello\r\n")
	p.begunOf(t, c, 5)
	a.send(t, "one\r\ntwo\r\nthr")
	p.signal(t, syscall.SIGTERM)
	c.expectEnd(t) // its worker has come to the end of grace
	a.expect(t, "sent\r\none\r\ntwo\r\n")
	a.expectEnd(t)
	b.expect(t, "slept\r\nhello\r\n")
	b.expectEnd(t)
	if code, complaints := p.wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

func TestReloadSignalsAreSurvived(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR2} {
		p.signal(t, sig)
		p.said(t, "nothing to reload")
		if got := c.ask(t, "hello"); got != "hello" {
			t.Errorf("echo after %v = %q", sig, got)
		}
	}
	c.hangUp(t)
	p.stop(t)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
	c := p.dial(t)
	c.send(t, "/sleep 60000\r\n")
	p.begun(t, 1)
	p.signal(t, syscall.SIGTERM)
	p.said(t, "stopping")
	begin := time.Now()
	go func() { // ends with the server
		for range time.Tick(loop.Grace) { // within grace it counts as the first one
			if p.cmd.Process.Signal(syscall.SIGTERM) != nil {
				return
			}
		}
	}()
	code, _ := p.wait(t)
	if code != -1 || time.Since(begin) > drain {
		t.Errorf("exit code = %d after %v, want an end by the signal, at once", code, time.Since(begin))
	}
}

// A signal to the process and to its group, as timeout(1) sends it, is one.
func TestSignalThatComesTwiceIsOne(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.send(t, "/sleep 200\r\n")
	p.begun(t, 1)
	p.signal(t, syscall.SIGTERM)
	p.signal(t, syscall.SIGTERM)
	c.expect(t, "slept\r\n")
	c.expectEnd(t)
	if code, _ := p.wait(t); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
}

func TestStopIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as drain")
	}
	t.Parallel()
	p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
	asleep, deaf := p.dial(t), p.dial(t)
	asleep.send(t, "/sleep 60000\r\n")
	p.begun(t, 1)
	deaf.fill(t)
	p.signal(t, syscall.SIGTERM)
	begin := time.Now()
	code, lines := p.wait(t, "would not end", "connections=2")
	if code != 0 || len(lines) != 1 {
		t.Errorf("exit code = %d with %q, want 0 and one line of 2 connections", code, lines)
	}
	if took := time.Since(begin); took < drain/2 {
		t.Errorf("stopped in %v, want about %v", took, drain)
	}
}

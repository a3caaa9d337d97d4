//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begun waits until the server has begun n requests of other clients.
func (p *process) begun(t *testing.T, n int64) {
	t.Helper()
	c := p.dial(t)
	var stats struct{ Requests int64 }
	for asked := int64(0); stats.Requests-asked < n; asked++ {
		if err := json.Unmarshal([]byte(c.ask(t, "/stats")), &stats); err != nil {
			t.Fatal(err)
		}
	}
	c.hangUp(t)
}

func TestStopAnswersWhatIsInHand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t)
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
	whole := len(rest) / len(line)
	if len(rest)%len(line) != 0 || !bytes.Equal(rest, []byte(strings.Repeat(line, whole))) {
		t.Errorf("%d bytes came, want whole lines of %d", len(rest), len(line))
	}
	if code, _ := p.wait(t); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
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
	p := start(t)
	c := p.dial(t)
	c.send(t, "/sleep 60000\r\n")
	p.begun(t, 1)
	p.signal(t, syscall.SIGTERM)
	p.said(t, "stopping")
	p.signal(t, syscall.SIGTERM)
	begin := time.Now()
	code, _ := p.wait(t)
	if code != -1 || time.Since(begin) > drain {
		t.Errorf("exit code = %d after %v, want an end by the signal, at once", code, time.Since(begin))
	}
}

func TestStopIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as drain")
	}
	t.Parallel()
	p := start(t)
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

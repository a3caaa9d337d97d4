//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
	"github.com/plait-go/plait/examples/echo/loop"
)

func TestStopAnswersWhatIsInHand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
		lines := echotest.Numbered(2000)
		busy, asleep, idle, partial := p.Dial(t), p.Dial(t), p.Dial(t), p.Dial(t)
		asleep.Send(t, "/sleep 300\r\n")
		partial.Send(t, "hello\r\nhalf a li")
		partial.Expect(t, "hello\r\n")
		if got := idle.Ask(t, "hello"); got != "hello" {
			t.Fatalf("echo = %q", got)
		}
		busy.Send(t, lines)
		p.Begun(t, 2003) // that many were sent

		p.Signal(t, sig)
		busy.Expect(t, lines)
		busy.ExpectEnd(t)
		asleep.Expect(t, "slept\r\n")
		asleep.ExpectEnd(t)
		idle.ExpectEnd(t)
		partial.ExpectEnd(t)
		if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
			t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
		}
	}
}

// A client that goes on sending gets replies to what it sent first, in order and
// whole, then the end.
func TestStopInTheMiddleOfTraffic(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	line := strings.Repeat("x", 98) + "\r\n"
	go func() { // ends with the connection
		for {
			if _, err := io.WriteString(c, line+line+line); err != nil {
				return
			}
		}
	}()
	c.Expect(t, strings.Repeat(line, 1000))
	p.Signal(t, syscall.SIGTERM)
	rest, err := io.ReadAll(c.R)
	if err != nil && !strings.Contains(err.Error(), "reset") { // it never stopped sending
		t.Error(err)
	}
	c.HangUp(t)
	whole := len(rest) / len(line)
	if len(rest)%len(line) != 0 || !bytes.Equal(rest, []byte(strings.Repeat(line, whole))) {
		t.Errorf("%d bytes came, want whole lines of %d", len(rest), len(line))
	}
	if code, _ := p.Wait(t); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
}

// What arrives while a stop is young is answered, though nobody is accepted.
func TestStopAnswersWhatIsOnItsWay(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	c.Send(t, "hello\r\n")
	c.Expect(t, "hello\r\n")
	begin := time.Now()
	p.Signal(t, syscall.SIGTERM)
	for {
		c.Send(t, "late\r\n")
		if time.Since(begin) > loop.Grace/2 {
			break // too late, perhaps
		}
		c.Expect(t, "late\r\n")
	}
	if _, err := io.ReadAll(c.R); err != nil {
		t.Error(err)
	}
	if nc, err := net.Dial("tcp", p.Addr); err == nil {
		_ = nc.Close() // it should not be there
		t.Error("a connection was accepted")
	}
	c.HangUp(t)
	if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

// Everything that was sent before the signal is answered, also what waits for an
// answer from another worker.
func TestStopUnderLoad(t *testing.T) {
	const n, rounds = 40, 100
	p := start(t, "-workers", "4")
	clients, ids := p.DialAll(t, n)
	for i, c := range clients {
		var all strings.Builder
		for k := range rounds {
			fmt.Fprintf(&all, "line %d\r\n/send %s text\r\n", k, ids[(i+1)%n])
		}
		c.Send(t, all.String())
	}
	p.Signal(t, syscall.SIGTERM)
	for i, c := range clients {
		all, err := io.ReadAll(c.R)
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
		c.HangUp(t)
	}
	if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

// A waits for the worker of b, which sleeps, when the time for requests on their
// way is over. What has come from a meanwhile, and is not read yet, is owed as well.
func TestStopAnswersWhatWaits(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.DialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.Send(t, "/sleep 500\r\n")
	p.BegunOf(t, c, 4)
	a.Send(t, "/send "+ids[1]+" hello\r\n")
	p.BegunOf(t, c, 5)
	a.Send(t, "one\r\ntwo\r\nthr")
	p.Signal(t, syscall.SIGTERM)
	c.ExpectEnd(t) // its worker has come to the end of grace
	a.Expect(t, "sent\r\none\r\ntwo\r\n")
	a.ExpectEnd(t)
	b.Expect(t, "slept\r\nhello\r\n")
	b.ExpectEnd(t)
	if code, complaints := p.Wait(t, "level=WARN"); code != 0 || complaints != nil {
		t.Errorf("exit code = %d, complaints %q; want 0 and none", code, complaints)
	}
}

func TestReloadSignalsAreSurvived(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR2} {
		p.Signal(t, sig)
		p.Said(t, "nothing to reload")
		if got := c.Ask(t, "hello"); got != "hello" {
			t.Errorf("echo after %v = %q", sig, got)
		}
	}
	c.HangUp(t)
	p.Stop(t)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
	c := p.Dial(t)
	c.Send(t, "/sleep 60000\r\n")
	p.Begun(t, 1)
	p.Signal(t, syscall.SIGTERM)
	p.Said(t, "stopping")
	begin := time.Now()
	go func() { // ends with the server
		for range time.Tick(loop.Grace) { // within grace it counts as the first one
			if p.Cmd.Process.Signal(syscall.SIGTERM) != nil {
				return
			}
		}
	}()
	code, _ := p.Wait(t)
	if code != -1 || time.Since(begin) > drain {
		t.Errorf("exit code = %d after %v, want an end by the signal, at once", code, time.Since(begin))
	}
}

// A signal to the process and to its group, as timeout(1) sends it, is one.
func TestSignalThatComesTwiceIsOne(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	c.Send(t, "/sleep 200\r\n")
	p.Begun(t, 1)
	p.Signal(t, syscall.SIGTERM)
	p.Signal(t, syscall.SIGTERM)
	c.Expect(t, "slept\r\n")
	c.ExpectEnd(t)
	if code, _ := p.Wait(t); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
}

func TestStopIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as drain")
	}
	t.Parallel()
	p := start(t, "-workers", "8") // so that nobody else is with the one that sleeps
	asleep, deaf := p.Dial(t), p.Dial(t)
	asleep.Send(t, "/sleep 60000\r\n")
	p.Begun(t, 1)
	fill(t, deaf)
	p.Signal(t, syscall.SIGTERM)
	begin := time.Now()
	code, lines := p.Wait(t, "would not end", "connections=2")
	if code != 0 || len(lines) != 1 {
		t.Errorf("exit code = %d with %q, want 0 and one line of 2 connections", code, lines)
	}
	if took := time.Since(begin); took < drain/2 {
		t.Errorf("stopped in %v, want about %v", took, drain)
	}
}

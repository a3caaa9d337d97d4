//go:build linux

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
	"github.com/plait-go/plait/framing"
)

func TestCommands(t *testing.T) {
	p := start(t, "-workers", "1")
	c := p.Dial(t)
	for _, test := range []struct{ line, want string }{
		{"/pid", strconv.Itoa(p.Cmd.Process.Pid)},
		{"/id", "1"},
		{"/sleep 1", "slept"},
		{"/send 77 hello", "error: no connection 77"},
		{"/close 77", "error: no connection 77"},
		{"/heard", "0"},
		{"/tell 0 hello", "told"},
		{"/heard", "1"},
		{"/tell 1 hello", "error: no worker 1, want 0 to 0"},
		{"/tell x hello", `error: "x" is no number of a worker`},
		{"/task hello", "error: no task workers"},
		{"/crash", "error: /crash refused: there is one process, and it has every connection"},
		{"/sleep", "error: wrong arguments, want: /sleep MS"},
	} {
		if got := c.Ask(t, test.line); got != test.want {
			t.Errorf("%s = %q, want %q", test.line, got, test.want)
		}
	}
	if got := c.Ask(t, "/nonsense"); !strings.HasPrefix(got, `error: unknown command "/nonsense"`) {
		t.Errorf("/nonsense = %q", got)
	}
}

func TestStats(t *testing.T) {
	p := start(t, "-workers", "3")
	gone := p.Dial(t)
	if got := gone.Ask(t, "hello"); got != "hello" {
		t.Fatalf("echo = %q", got)
	}
	gone.CloseWrite(t)
	gone.ExpectEnd(t)
	c := p.Dial(t)
	var stats map[string]any
	for { // the server closes gone in its own time
		if err := json.Unmarshal([]byte(c.Ask(t, "/stats")), &stats); err != nil {
			t.Fatal(err)
		}
		if stats["closed"] == 1.0 {
			break
		}
	}
	for key, want := range map[string]any{
		"server": "thread", "addr": p.Addr, "frame": "eof", "max": float64(framing.DefaultMax), "workers": 3.0,
		"pid": float64(p.Cmd.Process.Pid), "connections": 1.0, "accepted": 2.0, "errors": 0.0,
	} {
		if stats[key] != want {
			t.Errorf("%s = %v, want %v", key, stats[key], want)
		}
	}
	for _, key := range []string{"requests", "bytes_in", "bytes_out"} {
		if n, ok := stats[key].(float64); !ok || n < 1 {
			t.Errorf("%s = %v, want a number over 0", key, stats[key])
		}
	}
	if n, ok := stats["uptime_ms"].(float64); !ok || n < 0 {
		t.Errorf("uptime_ms = %v, want a number", stats["uptime_ms"])
	}
	if len(stats) != 15 {
		t.Errorf("%d fields, want 15: %v", len(stats), stats)
	}
}

func TestSendReachesAnotherConnection(t *testing.T) {
	p := start(t)
	a, b := p.Dial(t), p.Dial(t)
	id := b.Ask(t, "/id")
	for range 100 {
		if got := a.Ask(t, "/send "+id+" hello  there "); got != "sent" {
			t.Fatalf("/send = %q", got)
		}
		b.Expect(t, "hello  there \r\n") // b's reader was asleep
	}
	b.Send(t, "/send "+id+" to myself\r\n")
	b.Expect(t, "to myself\r\nsent\r\n")
	a.Send(t, "/send "+id+" \r\n")
	a.Expect(t, "sent\r\n")
	b.Expect(t, "\r\n")
}

func TestCloseEndsAnotherConnection(t *testing.T) {
	p := start(t)
	a, b := p.Dial(t), p.Dial(t)
	id := b.Ask(t, "/id")
	if got := a.Ask(t, "/close "+id); got != "closed" {
		t.Fatalf("/close = %q", got)
	}
	b.ExpectEnd(t)
	if got := a.Ask(t, "/close "+id); got != "error: no connection "+id {
		t.Errorf("/close again = %q", got)
	}
	a.Send(t, "/close "+a.Ask(t, "/id")+"\r\n")
	a.Expect(t, "closed\r\n")
	a.ExpectEnd(t)
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// Others are answered while a's worker, which is the first one, sleeps longer than
// the test would wait: those who were there before, and those who come.
func TestSleepBlocksOneWorkerOnly(t *testing.T) {
	p := start(t, "-workers", "3")
	a, b := p.Dial(t), p.Dial(t)
	a.Send(t, "before\r\n/sleep 60000\r\n")
	a.Expect(t, "before\r\n")
	p.BegunOf(t, b, 2)
	for _, c := range []*echotest.Client{b, p.Dial(t)} {
		if got := c.Ask(t, "hello"); got != "hello" {
			t.Errorf("echo = %q", got)
		}
	}
}

// Replies to what came before a command that blocks do not wait for it: "hello"
// arrives while the server sleeps, or the client would never go on.
func TestRepliesDoNotWaitForASleep(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	c.Send(t, "hello\r\n/id\r\n/sleep 60000\r\n") // beyond every deadline of the test
	c.Expect(t, "hello\r\n")
	c.Line(t)
}

func TestRequestsBehindASleepWaitForIt(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	c.Send(t, "before\r\n/sleep 10\r\nbehind\r\n/sleep 10\r\n/sleep x\r\nlast\r\n")
	c.Expect(t, "before\r\nslept\r\nbehind\r\nslept\r\nerror: cannot sleep \"x\", want milliseconds, 0 to 60000\r\nlast\r\n")
}

//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
)

func TestCommands(t *testing.T) {
	p := start(t, "-workers", "2", "-tasks", "1")
	c := p.Dial(t)
	r := stats(t, p)
	for _, test := range []struct{ line, want string }{
		{"hello", "hello"},
		{"", ""},
		{"/pid", fmt.Sprint(r.PIDs[0])},
		{"/id", "1"},
		{"/sleep 1", "slept"},
		{"/send 77 hello", "error: no connection 77"},
		{"/close 77", "error: no connection 77"},
		{"/heard", "0"},
		{"/tell 2 hello", "error: no worker 2, want 0 to 1"},
		{"/tell x hello", `error: "x" is no number of a worker`},
		{"/task hello", "HELLO"},
		{"/task ", ""},
		{"/task", "error: wrong arguments, want: /task TEXT"},
		{"/crash", lost},
		{"hello again", "hello again"},
		{"/sleep", "error: wrong arguments, want: /sleep MS"},
	} {
		if got := c.Ask(t, test.line); got != test.want {
			t.Errorf("%s = %q, want %q", test.line, got, test.want)
		}
	}
	if got := c.Ask(t, "/nonsense"); !strings.HasPrefix(got, `error: unknown command "/nonsense"`) {
		t.Errorf("/nonsense = %q", got)
	}
	p.Said(t, "level=ERROR", "worker 0.1 exited", "killed")
	for c.Ask(t, "/heard") == "0" {
		if got := c.Ask(t, "/tell 0 hello"); got != "told" {
			t.Fatalf("/tell = %q", got)
		}
	}
	if got := start(t).Dial(t).Ask(t, "/task hello"); got != "error: no task workers" {
		t.Errorf("/task without task workers = %q", got)
	}
}

func TestStats(t *testing.T) {
	p := start(t, "-workers", "3")
	c := p.Dial(t)
	if got := c.Ask(t, "hello"); got != "hello" {
		t.Fatalf("echo = %q", got)
	}
	r := stats(t, p)
	for closed := int64(0); closed == 0; { // the server closes that connection in its own time
		r = stats(t, p)
		closed = r.Closed
	}
	if r.Server != "process" || r.Addr != p.Addr || r.Max != framing.DefaultMax || r.Workers != 3 || r.PID != p.Cmd.Process.Pid ||
		r.Connections != 2 || len(r.Spread) != 3 || len(r.PIDs) != 3 || r.Dispatch != "conn" || r.Requests < 3 || r.BytesIn < 7 || r.BytesOut < 7 {
		t.Errorf("%+v, %+v", r.Report, r)
	}
}

// Any connection can write to any other one, and close it, whichever loop has it.
func TestSendAndClose(t *testing.T) {
	p := start(t, "-workers", "2", "-reactors", "2")
	clients, ids := p.DialAll(t, 4)
	for i, c := range clients {
		to := (i + 1) % len(clients)
		for n := range 20 {
			if got := c.Ask(t, fmt.Sprintf("/send %s hello %d", ids[to], n)); got != "sent" {
				t.Fatalf("/send = %q", got)
			}
			clients[to].Expect(t, fmt.Sprintf("hello %d\r\n", n))
		}
	}
	if got := clients[0].Ask(t, "/close "+ids[1]); got != "closed" {
		t.Errorf("/close = %q", got)
	}
	clients[1].ExpectEnd(t)
	if got := clients[0].Ask(t, "/close "+ids[1]); got != "error: no connection "+ids[1] {
		t.Errorf("/close again = %q", got)
	}
	clients[0].Send(t, "/close "+ids[0]+"\r\n")
	clients[0].Expect(t, "closed\r\n")
	clients[0].ExpectEnd(t)
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// A frame of the longest size, and one more byte, by each kind of frame.
func TestFrames(t *testing.T) {
	const most = 300 << 10
	for kind, frame := range map[string]func(n int) string{
		"eof": func(n int) string { return strings.Repeat("x", n-2) + "\r\n" },
		"length": func(n int) string {
			return string(binary.BigEndian.AppendUint32(nil, uint32(n-4))) + strings.Repeat("x", n-4)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			p := start(t, "-workers", "2", "-frame", kind, "-max", fmt.Sprint(most))
			c := p.Dial(t)
			for _, n := range []int{4, 5, 65536, most} {
				c.Send(t, frame(n))
				c.Expect(t, frame(n))
			}
			bad := p.Dial(t)
			bad.Send(t, frame(most + 1)[:100])
			if kind == "eof" {
				bad.Send(t, strings.Repeat("x", most))
			}
			bad.ExpectEnd(t)
			p.Said(t, "level=WARN", "connection closed", "conn=2")
			c.CloseWrite(t)
			c.ExpectEnd(t)
		})
	}
	t.Run("raw", func(t *testing.T) {
		c := start(t, "-workers", "2", "-frame", "raw").Dial(t)
		text := strings.Repeat("/crash\r\n", 1000) // no command here
		c.Send(t, text)
		c.Expect(t, text)
	})
}

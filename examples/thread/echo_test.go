//go:build linux

package main

import (
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

func TestEchoesWholeFrames(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8<<10) // more than a batch
	for _, test := range []struct {
		kind   string
		frames []string
	}{
		{"eof", []string{"hello\r\n", "\r\n", "a\rb\nc\r\r\n", "no/command\r\n", " /id\r\n", long + "\r\n"}},
		{"length", []string{"\x00\x00\x00\x05hello", "\x00\x00\x00\x00", "\x00\x00\x00\x05/id\r\n", "\x00\x02\x00\x00" + long}},
		{"raw", []string{"hello", "\x00", "/id\r\n", long}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			p := start(t, "-frame", test.kind)
			c := p.Dial(t)
			for _, frame := range test.frames {
				c.Send(t, frame)
				c.Expect(t, frame)
			}
			all := strings.Join(test.frames, "")
			c.Send(t, all)
			c.Expect(t, all)
			for i := range len(all) / 1000 {
				c.Send(t, all[i:i+1])
			}
			c.Send(t, all[len(all)/1000:])
			c.Expect(t, all)
			c.CloseWrite(t)
			c.ExpectEnd(t)
			if complaints := p.Stop(t); complaints != nil {
				t.Errorf("stderr has %q", complaints)
			}
		})
	}
}

func TestPipelinedLinesComeBackInOrder(t *testing.T) {
	p := start(t, "-workers", "1")
	c := p.Dial(t)
	lines := echotest.Numbered(10_000)
	var sent sync.WaitGroup
	sent.Go(func() { _, _ = io.WriteString(c, lines+"/id\r\n") }) // if it fails, expect does
	c.Expect(t, lines+"1\r\n")
	sent.Wait()
}

func TestSlowClientLosesNothing(t *testing.T) {
	p := start(t)
	slow, fast := p.Dial(t), p.Dial(t)
	line := "one byte at a time\r\n"
	for i := range len(line) {
		slow.Send(t, line[i:i+1])
		if got := fast.Ask(t, "meanwhile"); got != "meanwhile" {
			t.Fatalf("echo to another client = %q", got)
		}
	}
	slow.Expect(t, line)
}

func TestManyConnections(t *testing.T) {
	const n = 1000
	p := start(t, "-workers", "4")
	clients := make([]*echotest.Client, n)
	for i := range clients {
		clients[i] = p.Dial(t)
	}
	lines := echotest.Numbered(n)
	each := strings.SplitAfter(lines, "\r\n")
	for i, c := range clients {
		c.Send(t, each[i]+"/id\r\n")
	}
	ids := make(map[string]bool)
	for i, c := range clients {
		c.Expect(t, each[i])
		ids[c.Line(t)] = true
	}
	if len(ids) != n {
		t.Errorf("%d connections have %d different IDs", n, len(ids))
	}
	if r := p.Report(t, clients[0]); !slices.Equal(r.Spread, []int64{n / 4, n / 4, n / 4, n / 4}) {
		t.Errorf("connections by worker: %v, want as many everywhere", r.Spread)
	}
	begin := time.Now()
	for _, c := range clients {
		c.HangUp(t)
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
	t.Logf("stopped in %v", time.Since(begin))
}

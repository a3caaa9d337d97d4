//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// One connection keeps all workers busy, and each gets as many requests.
func TestRoundRobin(t *testing.T) {
	const workers, each = 4, 25
	p := start(t, "-workers", fmt.Sprint(workers), "-dispatch", "round-robin")
	c := p.Dial(t)
	pids := make(map[string]int)
	for range workers * each {
		pids[c.Ask(t, "/pid")]++
	}
	if len(pids) != workers {
		t.Errorf("answered by %v, want %d workers", pids, workers)
	}
	for pid, n := range pids {
		if n != each {
			t.Errorf("worker %s has answered %d, want %d: %v", pid, n, each, pids)
		}
	}
	c.Send(t, strings.Repeat("/sleep 60000\r\n", workers-1)+"the last one has time\r\n")
	c.Expect(t, "the last one has time\r\n")
}

// The connections of the clients are spread evenly, and so are their requests, each by
// the same worker.
func TestConn(t *testing.T) {
	const workers, clients = 4, 40
	p := start(t, "-workers", fmt.Sprint(workers), "-reactors", "2")
	for i := range clients {
		c := p.Dial(t)
		pid := c.Ask(t, "/pid")
		for range 5 {
			if other := c.Ask(t, "/pid"); other != pid {
				t.Errorf("client %d is answered by %s and %s", i, pid, other)
			}
		}
	}
	r := stats(t, p)
	if slices.Max(r.Spread)-slices.Min(r.Spread) > 2 || slices.Max(r.ByWorker)-slices.Min(r.ByWorker) > 6*2+1 {
		t.Errorf("connections %v, requests %v; want an even spread", r.Spread, r.ByWorker)
	}
}

// All connections from one address have one worker.
func TestPeer(t *testing.T) {
	p := start(t, "-workers", "4", "-dispatch", "peer")
	first := p.Dial(t).Ask(t, "/pid")
	for range 10 {
		if pid := p.Dial(t).Ask(t, "/pid"); pid != first {
			t.Errorf("answered by %s and %s", first, pid)
		}
	}
}

// Nobody waits for a worker that is busy while another one is not.
func TestIdleWorkersFirst(t *testing.T) {
	for _, policy := range []string{"least-busy", "first-idle"} {
		t.Run(policy, func(t *testing.T) {
			p := start(t, "-workers", "3", "-dispatch", policy)
			a, b := p.Dial(t), p.Dial(t)
			a.Send(t, "/sleep 60000\r\n/sleep 60000\r\n")
			for range 20 {
				if got := b.Ask(t, "hello"); got != "hello" {
					t.Errorf("hello = %q", got)
				}
			}
		})
	}
}

func TestWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-dispatch", "random"}, `process: -dispatch "random" is unknown, want conn, peer, round-robin, least-busy or first-idle (-h shows the flags)`},
		{[]string{"-reactors", "0"}, "process: -reactors 0 is out of range, want 1 to 1024 (-h shows the flags)"},
		{[]string{"-delay", "-1s"}, "process: -delay -1s is less than 0 (-h shows the flags)"},
		{[]string{"-tasks", "-1"}, "process: -tasks -1 is out of range, want 0 to 1024 (-h shows the flags)"},
	} {
		cmd := command(t, test.args...)
		text, _ := cmd.CombinedOutput() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != 2 || string(text) != test.want+"\n" {
			t.Errorf("%q: %q, exit code %d; want %q, exit code 2", test.args, text, code, test.want)
		}
	}
}

//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// Everybody sends texts to a partner, who does the same, and to the next one in a
// ring. A worker that waited for another would wait for ever, and one that did not
// keep the requests behind a /send back would mix up the replies.
func TestSendBothWaysAtOnce(t *testing.T) {
	const n, rounds = 16, 200
	p := start(t, "-workers", "4")
	clients, ids := p.DialAll(t, n)
	for i, c := range clients {
		var all strings.Builder
		for k := range rounds {
			fmt.Fprintf(&all, "/send %s text %d %d\r\nline %d\r\n", ids[[2]int{i ^ 1, (i + 1) % n}[k%2]], i, k, k)
		}
		c.Send(t, all.String())
	}
	for i, c := range clients {
		var own []string
		texts := make(map[string][]string) // by sender
		for range 3 * rounds {
			line := c.Line(t)
			if text, ok := strings.CutPrefix(line, "text "); ok {
				from, k, _ := strings.Cut(text, " ")
				texts[from] = append(texts[from], k)
			} else {
				own = append(own, line)
			}
		}
		for k := range rounds {
			if got, want := strings.Join(own[2*k:2*k+2], ", "), fmt.Sprintf("sent, line %d", k); got != want {
				t.Fatalf("client %d: replies %d = %s, want %s", i, k, got, want)
			}
		}
		for k := range rounds {
			from := fmt.Sprint([2]int{i ^ 1, (i + n - 1) % n}[k%2])
			if got := texts[from]; len(got) == 0 || got[0] != fmt.Sprint(k) {
				t.Fatalf("client %d: texts of client %s go on with %.3q, want %d", i, from, got, k)
			}
			texts[from] = texts[from][1:]
		}
	}
}

// Both sides of a pair close each other, so each is closed before its own request
// was read, while that waits for its outcome, or not at all. Whoever waits gets the
// answer.
func TestCloseBothWaysAtOnce(t *testing.T) {
	p := start(t, "-workers", "4")
	for range 20 {
		clients, ids := p.DialAll(t, 8)
		for i, c := range clients {
			c.Send(t, "line\r\n/close "+ids[i^1]+"\r\n")
		}
		closed := make([]bool, len(clients)) // who has closed its partner
		for i, c := range clients {
			c.CloseWrite(t)
			all, err := io.ReadAll(c.R)
			answer, _ := strings.CutPrefix(string(all), "line\r\n")
			closed[i] = answer == "closed\r\n"
			if err != nil || !closed[i] && len(all) > 0 && answer != "error: no connection "+ids[i^1]+"\r\n" {
				t.Errorf("%q, %v; want the line, then the outcome, or nothing", all, err)
			}
			c.HangUp(t)
		}
		for i := range closed {
			if !closed[i] && !closed[i^1] {
				t.Errorf("nobody has closed %s or %s", ids[i], ids[i^1])
			}
		}
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

func TestMessagesGoToOneWorker(t *testing.T) {
	const workers = 3
	p := start(t, "-workers", fmt.Sprint(workers))
	clients, _ := p.DialAll(t, workers)
	for to := range workers {
		for from := range to + 1 {
			if got := clients[from].Ask(t, fmt.Sprintf("/tell %d hello", to)); got != "told" {
				t.Errorf("/tell %d = %q", to, got)
			}
		}
	}
	for i, c := range clients {
		if got, want := c.Ask(t, "/heard"), fmt.Sprint(i+1); got != want {
			t.Errorf("worker %d: /heard = %s, want %s", i, got, want)
		}
	}
	if got := clients[0].Ask(t, "/tell 3 hello"); got != "error: no worker 3, want 0 to 2" {
		t.Errorf("/tell 3 = %q", got)
	}
}

// The worker of b sleeps longer than the test would wait. A, who waits for it, and
// the other clients of a's worker are not kept from what has nothing to do with it.
func TestWaitingForAWorkerBlocksNobody(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.DialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.Send(t, "/sleep 60000\r\n")
	p.BegunOf(t, c, 4) // three asked for their IDs
	a.Send(t, "before\r\n/send "+ids[1]+" hello\r\nbehind\r\n")
	a.Expect(t, "before\r\n")
	if got := c.Ask(t, "/send "+ids[0]+" still here"); got != "sent" {
		t.Errorf("/send = %q", got)
	}
	a.Expect(t, "still here\r\n")
	if got := c.Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
}

// Requests behind a /send wait for its outcome, whether they came with it or later.
func TestRequestsBehindASendWaitForIt(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.DialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.Send(t, "/sleep 200\r\n")
	p.BegunOf(t, c, 4)
	a.Send(t, "one\r\n/send "+ids[1]+" hello\r\ntwo\r\n/id\r\n/send 77777 x\r\n")
	a.Expect(t, "one\r\n")
	p.BegunOf(t, c, 6)
	a.Send(t, "/close "+ids[1]+"\r\nthree\r\n/close "+ids[1]+"\r\nfour\r\n")
	b.Expect(t, "slept\r\nhello\r\n")
	a.Expect(t, "sent\r\ntwo\r\n"+ids[0]+"\r\nerror: no connection 77777\r\nclosed\r\nthree\r\n")
	b.ExpectEnd(t)
	if got := a.Line(t); got != "closed" && got != "error: no connection "+ids[1] {
		t.Errorf("/close of what is closed = %q", got)
	}
	a.Expect(t, "four\r\n")
}

// The answer comes when there is nobody any more who waits for it.
func TestAskerIsGone(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.DialAll(t, 4)
	a, b, c, d := clients[0], clients[1], clients[2], clients[3]
	b.Send(t, "/sleep 200\r\n")
	p.BegunOf(t, c, 5)
	a.Send(t, "/send "+ids[1]+" from a\r\nand more\r\n")
	p.BegunOf(t, c, 6)
	a.HangUp(t)
	if got := c.Ask(t, "/send "+ids[0]+" are you there?"); got != "sent" { // nobody has noticed
		t.Errorf("/send = %q", got)
	}
	b.Expect(t, "slept\r\nfrom a\r\n")
	for { // until the server has noticed
		if got := d.Ask(t, "/send "+ids[0]+" and now?"); got == "error: no connection "+ids[0] {
			break
		}
	}
	for _, c := range []*echotest.Client{b, c, d} {
		if got := c.Ask(t, "hello"); got != "hello" {
			t.Errorf("echo = %q", got)
		}
		c.HangUp(t)
	}
	if complaints := p.Stop(t); len(complaints) > 1 {
		t.Errorf("complaints %q, want one at most", complaints)
	}
}

func TestStatsAreSums(t *testing.T) {
	p := start(t, "-workers", "3")
	clients, ids := p.DialAll(t, 9)
	in, out := 9*len("/id\r\n"), len(strings.Join(ids, "\r\n")+"\r\n")
	for i, c := range clients {
		lines := echotest.Numbered(i)
		c.Send(t, lines)
		c.Expect(t, lines)
		in, out = in+len(lines), out+len(lines)
	}
	in += len("/stats\r\n")
	r := p.Report(t, clients[4])
	if r.Requests != 9+8*9/2+1 || r.BytesIn != int64(in) || r.BytesOut != int64(out) {
		t.Errorf("%d requests, %d bytes in, %d out; want 46, %d, %d", r.Requests, r.BytesIn, r.BytesOut, in, out)
	}
	if r.Accepted != 9 || r.Connections != 9 || !slices.Equal(r.Spread, []int64{3, 3, 3}) {
		t.Errorf("%d accepted, %d open, by worker %v; want 9 and 3 each", r.Accepted, r.Connections, r.Spread)
	}
	for _, c := range clients[:3] { // one of each worker
		c.CloseWrite(t)
		c.ExpectEnd(t)
	}
	for r.Closed < 3 { // the server closes them in its own time
		r = p.Report(t, clients[4])
	}
	if r.Connections != 6 || !slices.Equal(r.Spread, []int64{2, 2, 2}) {
		t.Errorf("%d open, by worker %v; want 6, and 2 each", r.Connections, r.Spread)
	}
}

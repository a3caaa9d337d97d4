//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// dialAll returns n clients and the IDs of their connections. The first ones are
// of different workers, as many as there are.
func (p *process) dialAll(t *testing.T, n int) (clients []*client, ids []string) {
	t.Helper()
	for range n {
		c := p.dial(t)
		clients, ids = append(clients, c), append(ids, c.ask(t, "/id"))
	}
	return clients, ids
}

// Everybody sends texts to a partner, who does the same, and to the next one in a
// ring. A worker that waited for another would wait for ever, and one that did not
// keep the requests behind a /send back would mix up the replies.
func TestSendBothWaysAtOnce(t *testing.T) {
	const n, rounds = 16, 200
	p := start(t, "-workers", "4")
	clients, ids := p.dialAll(t, n)
	for i, c := range clients {
		var all strings.Builder
		for k := range rounds {
			fmt.Fprintf(&all, "/send %s text %d %d\r\nline %d\r\n", ids[[2]int{i ^ 1, (i + 1) % n}[k%2]], i, k, k)
		}
		c.send(t, all.String())
	}
	for i, c := range clients {
		var own []string
		texts := make(map[string][]string) // by sender
		for range 3 * rounds {
			line := c.line(t)
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
		clients, ids := p.dialAll(t, 8)
		for i, c := range clients {
			c.send(t, "line\r\n/close "+ids[i^1]+"\r\n")
		}
		closed := make([]bool, len(clients)) // who has closed its partner
		for i, c := range clients {
			c.closeWrite(t)
			all, err := io.ReadAll(c.r)
			answer, _ := strings.CutPrefix(string(all), "line\r\n")
			closed[i] = answer == "closed\r\n"
			if err != nil || !closed[i] && len(all) > 0 && answer != "error: no connection "+ids[i^1]+"\r\n" {
				t.Errorf("%q, %v; want the line, then the outcome, or nothing", all, err)
			}
			c.hangUp(t)
		}
		for i := range closed {
			if !closed[i] && !closed[i^1] {
				t.Errorf("nobody has closed %s or %s", ids[i], ids[i^1])
			}
		}
	}
	if complaints := p.stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

func TestMessagesGoToOneWorker(t *testing.T) {
	const workers = 3
	p := start(t, "-workers", fmt.Sprint(workers))
	clients, _ := p.dialAll(t, workers)
	for to := range workers {
		for from := range to + 1 {
			if got := clients[from].ask(t, fmt.Sprintf("/tell %d hello", to)); got != "told" {
				t.Errorf("/tell %d = %q", to, got)
			}
		}
	}
	for i, c := range clients {
		if got, want := c.ask(t, "/heard"), fmt.Sprint(i+1); got != want {
			t.Errorf("worker %d: /heard = %s, want %s", i, got, want)
		}
	}
	if got := clients[0].ask(t, "/tell 3 hello"); got != "error: no worker 3, want 0 to 2" {
		t.Errorf("/tell 3 = %q", got)
	}
}

// The worker of b sleeps longer than the test would wait. A, who waits for it, and
// the other clients of a's worker are not kept from what has nothing to do with it.
func TestWaitingForAWorkerBlocksNobody(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.dialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.send(t, "/sleep 60000\r\n")
	p.begunOf(t, c, 4) // three asked for their IDs
	a.send(t, "before\r\n/send "+ids[1]+" hello\r\nbehind\r\n")
	a.expect(t, "before\r\n")
	if got := c.ask(t, "/send "+ids[0]+" still here"); got != "sent" {
		t.Errorf("/send = %q", got)
	}
	a.expect(t, "still here\r\n")
	if got := c.ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
}

// Requests behind a /send wait for its outcome, whether they came with it or later.
func TestRequestsBehindASendWaitForIt(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.dialAll(t, 3)
	a, b, c := clients[0], clients[1], clients[2]
	b.send(t, "/sleep 200\r\n")
	p.begunOf(t, c, 4)
	a.send(t, "one\r\n/send "+ids[1]+" hello\r\ntwo\r\n/id\r\n/send 77777 x\r\n")
	a.expect(t, "one\r\n")
	p.begunOf(t, c, 6)
	a.send(t, "/close "+ids[1]+"\r\nthree\r\n/close "+ids[1]+"\r\nfour\r\n")
	b.expect(t, "slept\r\nhello\r\n")
	a.expect(t, "sent\r\ntwo\r\n"+ids[0]+"\r\nerror: no connection 77777\r\nclosed\r\nthree\r\n")
	b.expectEnd(t)
	if got := a.line(t); got != "closed" && got != "error: no connection "+ids[1] {
		t.Errorf("/close of what is closed = %q", got)
	}
	a.expect(t, "four\r\n")
}

// The answer comes when there is nobody any more who waits for it.
func TestAskerIsGone(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := p.dialAll(t, 4)
	a, b, c, d := clients[0], clients[1], clients[2], clients[3]
	b.send(t, "/sleep 200\r\n")
	p.begunOf(t, c, 5)
	a.send(t, "/send "+ids[1]+" from a\r\nand more\r\n")
	p.begunOf(t, c, 6)
	a.hangUp(t)
	if got := c.ask(t, "/send "+ids[0]+" are you there?"); got != "sent" { // nobody has noticed
		t.Errorf("/send = %q", got)
	}
	b.expect(t, "slept\r\nfrom a\r\n")
	for { // until the server has noticed
		if got := d.ask(t, "/send "+ids[0]+" and now?"); got == "error: no connection "+ids[0] {
			break
		}
	}
	for _, c := range []*client{b, c, d} {
		if got := c.ask(t, "hello"); got != "hello" {
			t.Errorf("echo = %q", got)
		}
		c.hangUp(t)
	}
	if complaints := p.stop(t); len(complaints) > 1 {
		t.Errorf("complaints %q, want one at most", complaints)
	}
}

func TestStatsAreSums(t *testing.T) {
	p := start(t, "-workers", "3")
	clients, ids := p.dialAll(t, 9)
	in, out := 9*len("/id\r\n"), len(strings.Join(ids, "\r\n")+"\r\n")
	for i, c := range clients {
		lines := numbered(i)
		c.send(t, lines)
		c.expect(t, lines)
		in, out = in+len(lines), out+len(lines)
	}
	in += len("/stats\r\n")
	r := p.report(t, clients[4])
	if r.Requests != 9+8*9/2+1 || r.BytesIn != int64(in) || r.BytesOut != int64(out) {
		t.Errorf("%d requests, %d bytes in, %d out; want 46, %d, %d", r.Requests, r.BytesIn, r.BytesOut, in, out)
	}
	if r.Accepted != 9 || r.Connections != 9 || !slices.Equal(r.Spread, []int64{3, 3, 3}) {
		t.Errorf("%d accepted, %d open, by worker %v; want 9 and 3 each", r.Accepted, r.Connections, r.Spread)
	}
	for _, c := range clients[:3] { // one of each worker
		c.closeWrite(t)
		c.expectEnd(t)
	}
	for r.Closed < 3 { // the server closes them in its own time
		r = p.report(t, clients[4])
	}
	if r.Connections != 6 || !slices.Equal(r.Spread, []int64{2, 2, 2}) {
		t.Errorf("%d open, by worker %v; want 6, and 2 each", r.Connections, r.Spread)
	}
}

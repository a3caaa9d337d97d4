//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// oneEach returns a client of each of n workers, by the slot of the worker, and the
// numbers of their connections. Who is served by one of some processes is not meant: a
// worker that is replaced may accept for a moment still.
func oneEach(t *testing.T, p *echotest.Process, n int, but ...int64) (clients []*echotest.Client, ids []string) {
	t.Helper()
	bySlot := make(map[int]*echotest.Client)
	numbers := make(map[int]string)
	for range 1000 {
		c := p.Dial(t)
		id := c.Ask(t, "/id")
		number, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		slot := owner(number).Slot
		if bySlot[slot] != nil || len(but) > 0 && slices.Contains(but, pidOf(t, c.Ask(t, "/pid"))) {
			c.HangUp(t)
			continue
		}
		bySlot[slot], numbers[slot] = c, id
		if len(bySlot) == n {
			for _, slot := range slices.Sorted(maps.Keys(bySlot)) {
				clients, ids = append(clients, bySlot[slot]), append(ids, numbers[slot])
			}
			return clients, ids
		}
	}
	t.Fatalf("of %d workers, only %d accept", n, len(bySlot))
	return nil, nil
}

// One worker and no task workers are one process, which says what THREAD says.
func TestAlone(t *testing.T) {
	p := start(t, "-workers", "1")
	c := p.Dial(t)
	for _, test := range []struct{ line, want string }{
		{"hello", "hello"},
		{"/pid", strconv.Itoa(p.Cmd.Process.Pid)},
		{"/id", "1"},
		{"/sleep 1", "slept"},
		{"/send 77 hello", "error: no connection 77"},
		{"/close 77", "error: no connection 77"},
		{"/heard", "0"},
		{"/tell 0 hello", "told"},
		{"/heard", "1"},
		{"/tell 1 hello", "error: no worker 1, want 0 to 0"},
		{"/task hello", "error: no task workers"},
		{"/crash", "error: /crash refused: there is one process, and it has every connection"},
	} {
		if got := c.Ask(t, test.line); got != test.want {
			t.Errorf("%s = %q, want %q", test.line, got, test.want)
		}
	}
	if r := p.Report(t, c); r.Connections != 1 || r.Server != "base" || r.Requests != 13 {
		t.Errorf("/stats = %+v", r)
	}
	p.Signal(t, syscall.SIGHUP)
	p.Said(t, "level=INFO", "nothing to reload")
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

func TestCommandsAcrossProcesses(t *testing.T) {
	const n = 3
	p := start(t, "-workers", strconv.Itoa(n), "-tasks", "2")
	clients, ids := oneEach(t, p, n)
	for i, from := range clients {
		for k, to := range clients {
			text := fmt.Sprintf("from %d  to %d \x80\x00", i, k)
			from.Send(t, "/send "+ids[k]+" "+text+"\r\n")
			if i == k {
				from.Expect(t, text+"\r\nsent\r\n")
				continue
			}
			from.Expect(t, "sent\r\n")
			to.Expect(t, text+"\r\n")
		}
	}
	for to := range n {
		for from := range to + 1 {
			if got := clients[from].Ask(t, fmt.Sprintf("/tell %d hello", to)); got != "told" {
				t.Errorf("/tell %d = %q", to, got)
			}
		}
	}
	for i, c := range clients { // messages are on their way for a moment
		got := c.Ask(t, "/heard")
		for began := time.Now(); got != fmt.Sprint(i+1) && time.Since(began) < echotest.Patience; {
			got = c.Ask(t, "/heard")
		}
		if got != fmt.Sprint(i+1) {
			t.Errorf("worker %d: /heard = %s, want %d", i, got, i+1)
		}
	}
	for _, test := range []struct{ line, want string }{
		{"/tell 3 hello", "error: no worker 3, want 0 to 2"},
		{"/send 77 hello", "error: no connection 77"},
		{"/close 0", "error: no connection 0"},
		{"/send 18446744073709551615 hello", "error: no connection 18446744073709551615"},
		{"/task hello  you ", "HELLO  YOU "},
		{"/task ", ""},
	} {
		for i, c := range clients {
			if got := c.Ask(t, test.line); got != test.want {
				t.Errorf("worker %d: %s = %q, want %q", i, test.line, got, test.want)
			}
		}
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

func TestCloseAcrossProcesses(t *testing.T) {
	const n = 3
	p := start(t, "-workers", strconv.Itoa(n), "-tasks", "0")
	clients, ids := oneEach(t, p, n)
	if got := clients[0].Ask(t, "/close "+ids[1]); got != "closed" {
		t.Errorf("/close = %q", got)
	}
	clients[1].ExpectEnd(t)
	if got := clients[0].Ask(t, "/close "+ids[1]); got != "error: no connection "+ids[1] {
		t.Errorf("/close again = %q", got)
	}
	if got := clients[2].Ask(t, "/close "+ids[2]); got != "closed" {
		t.Errorf("/close of itself = %q", got)
	}
	clients[2].ExpectEnd(t)
	r := p.Report(t, clients[0])
	for r.Connections > 1 { // the server closes them in its own time
		r = p.Report(t, clients[0])
	}
	if r.Workers != n || len(r.PIDs) != n || r.Errors+r.Lost+r.Cut != 0 {
		t.Errorf("/stats = %+v", r)
	}
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

func TestCrash(t *testing.T) {
	p := start(t, "-workers", "2")
	clients, ids := oneEach(t, p, 2)
	a, b := clients[0], clients[1]
	b.Send(t, "before\r\n/crash\r\nbehind\r\n")
	b.Expect(t, "before\r\n")
	if rest, err := b.R.ReadString(0); err == nil || rest != "" {
		t.Errorf("the connection goes on with %q, %v", rest, err)
	}
	p.Said(t, "level=ERROR", "worker 1.1 exited", "signal: killed")
	if got := a.Ask(t, "/send "+ids[1]+" hello"); got != "error: no connection "+ids[1] {
		t.Errorf("/send to a connection of the dead = %q", got)
	}
	_, _ = oneEach(t, p, 2) // there are two again
	if r := settled(t, p); r.Lost != 1 {
		t.Errorf("%d connections lost, want the one that crashed", r.Lost)
	}
}

// Whoever waits for a worker that dies is told, and the others go on.
func TestWaitingForTheDead(t *testing.T) {
	p := start(t, "-workers", "3")
	clients, ids := oneEach(t, p, 3)
	a, b, c := clients[0], clients[1], clients[2]
	pid := pidOf(t, b.Ask(t, "/pid"))
	begun := p.Report(t, c).Requests
	b.Send(t, "/sleep 60000\r\n")
	p.BegunOf(t, c, begun+1)
	a.Send(t, "/send "+ids[1]+" are you there?\r\nbehind\r\n")
	p.BegunOf(t, c, begun+2)
	if got := c.Ask(t, "/send "+ids[0]+" and you?"); got != "sent" {
		t.Errorf("/send = %q", got)
	}
	a.Expect(t, "and you?\r\n")
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a.Expect(t, "error: no connection "+ids[1]+"\r\nbehind\r\n")
}

// A worker that another one has replaced serves the connections that it has, and can
// be reached, until they end.
func TestConnectionsOutliveAReload(t *testing.T) {
	p := start(t, "-workers", "2")
	old, oldIDs := oneEach(t, p, 2)
	oldPID := old[0].Ask(t, "/pid")
	before := settled(t, p).PIDs
	p.Signal(t, syscall.SIGUSR1)
	for after := before; after[0] == before[0] || after[1] == before[1]; {
		after = settled(t, p).PIDs
	}
	young, youngIDs := oneEach(t, p, 2, before...)
	if got := old[0].Ask(t, "/pid"); got != oldPID {
		t.Errorf("/pid = %s, was %s", got, oldPID)
	}
	for i := range young {
		if got := young[i].Ask(t, "/send "+oldIDs[0]+" to the old"); got != "sent" {
			t.Errorf("/send = %q", got)
		}
		old[0].Expect(t, "to the old\r\n")
		if got := old[0].Ask(t, "/send "+youngIDs[i]+" to the young"); got != "sent" {
			t.Errorf("/send = %q", got)
		}
		young[i].Expect(t, "to the young\r\n")
	}
	for _, c := range old {
		c.CloseWrite(t)
		c.ExpectEnd(t)
	}
	p.Said(t, "level=INFO", "reloaded")
	if r := p.Report(t, young[0]); r.Connections != 2 || r.Lost+r.Cut != 0 {
		t.Errorf("/stats = %+v", r)
	}
}

// The end of a worker that was replaced is nothing to those who have come after it,
// also when the first of them is killed before.
func TestThreeInASlot(t *testing.T) {
	p := start(t, "-workers", "2")
	old, _ := oneEach(t, p, 2)
	first := settled(t, p).PIDs
	p.Signal(t, syscall.SIGUSR1)
	young, _ := oneEach(t, p, 2, first...)
	second := pidOf(t, young[0].Ask(t, "/pid"))
	if err := syscall.Kill(int(second), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	young[1].HangUp(t)
	clients, ids := oneEach(t, p, 2, append(first, second)...)
	for _, c := range old {
		c.CloseWrite(t)
		c.ExpectEnd(t)
	}
	p.Said(t, "level=INFO", "reloaded")
	if got := clients[1].Ask(t, "/send "+ids[0]+" hello"); got != "sent" {
		t.Errorf("/send = %q", got)
	}
	clients[0].Expect(t, "hello\r\n")
	if r := p.Report(t, clients[0]); r.Connections != 2 || !slices.Equal(r.Spread, []int64{1, 1}) || r.Lost != 1 {
		t.Errorf("/stats = %+v, want one connection of each worker, and one that was lost", r)
	}
}

func pidOf(tb testing.TB, text string) int64 {
	tb.Helper()
	pid, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return pid
}

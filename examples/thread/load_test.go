//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// resident returns the bytes of memory that the server has, or skips the test.
func resident(t *testing.T, p *echotest.Process) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func TestMemoryFollowsBytesReceived(t *testing.T) {
	const clients, size = 50, 512 << 10
	p := start(t, "-frame", "length", "-max", strconv.Itoa(size))
	before := resident(t, p)
	head := string([]byte{0, 7, 255, 252}) // a frame of exactly size
	all := make([]*echotest.Client, clients)
	for i := range all {
		all[i] = p.Dial(t)
		all[i].Send(t, head)
	}
	all[0].Send(t, strings.Repeat("x", size-len(head)))
	all[0].Expect(t, head)
	grown := resident(t, p) - before
	t.Logf("%d lengths of %d bytes: %d MiB", clients, size, grown>>20)
	if grown > clients*size/2 {
		t.Errorf("%d lengths of %d bytes cost %d bytes", clients, size, grown)
	}
	for _, c := range all[1:] {
		c.Send(t, strings.Repeat("x", size-len(head)-1))
	}
	for _, c := range all[1:] {
		c.Send(t, "x")
		c.Expect(t, head)
	}
	grown = resident(t, p) - before
	t.Logf("%d unfinished frames of %d bytes: %d MiB", clients, size, grown>>20)
	// Twice what came, the garbage of doubling, and the race detector's shadow.
	if limit := 10 * clients * size; grown > limit {
		t.Errorf("memory grew by %d bytes, want at most %d", grown, limit)
	}
}

// fill sends lines and reads nothing until the server does not read any more.
func fill(t *testing.T, c *echotest.Client) {
	t.Helper()
	lines := []byte(strings.Repeat(strings.Repeat("x", 998)+"\r\n", 1000))
	for writeUnread(t, c, lines) == len(lines) {
	}
}

// writeUnread writes data until the server does not read any more, and returns how
// much it has taken.
func writeUnread(t *testing.T, c *echotest.Client, data []byte) int {
	t.Helper()
	if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Write(data)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(echotest.Patience)); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestClientThatNeverReads(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as drain")
	}
	t.Parallel()
	p := start(t, "-workers", "2")
	deaf, other := p.Dial(t), p.Dial(t)
	id := deaf.Ask(t, "/id")
	fill(t, deaf)
	for _, size := range []int{0, 10 << 10} {
		text := strings.Repeat("x", size)
		got := "sent"
		for i := 0; got == "sent" && i < 1000; i++ { // what fill has left of the room
			got = other.Ask(t, "/send "+id+" "+text)
		}
		if !strings.HasPrefix(got, "error: connection "+id+" takes no more now, ") {
			t.Fatalf("/send to a client that does not read = %q", got)
		}
	}
	if got := other.Ask(t, "/close "+id); got != "closed" {
		t.Errorf("/close = %q", got)
	}
	p.Said(t, "level=WARN", "conn="+id, "client does not read")
	if got := other.Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
}

func TestServerOutOfDescriptors(t *testing.T) {
	cmd := command(t, "-addr", "127.0.0.1:0")
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	cmd.Args = append([]string{"sh", "-c", `ulimit -n 24; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = sh
	p := echotest.Start(t, cmd)
	clients := make([]*echotest.Client, 40)
	for i := range clients {
		clients[i] = p.Dial(t) // the kernel takes them all
		clients[i].Send(t, "hello\r\n")
	}
	p.Said(t, "level=ERROR", "cannot accept", "too many open files")
	for _, c := range clients {
		c.Expect(t, "hello\r\n")
		c.HangUp(t)
	}
	p.Signal(t, syscall.SIGTERM)
	if code, lines := p.Wait(t, "cannot accept"); code != 0 || len(lines) != 1 {
		t.Errorf("exit code = %d with %q, want 0 and one line", code, lines)
	}
}

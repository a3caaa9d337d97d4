//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo/echotest"
	"github.com/plait-go/plait/procpool/dispatch"
)

// A client that sends byte by byte, and one that reads byte by byte, are answered as
// any other.
func TestByteByByte(t *testing.T) {
	p := start(t, "-workers", "2")
	c := p.Dial(t)
	text := echotest.Numbered(50)
	for i := range len(text) {
		c.Send(t, text[i:i+1])
	}
	got := make([]byte, len(text))
	for i := range got {
		if _, err := io.ReadFull(c.R, got[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if string(got) != text {
		t.Errorf("replies = %.60q, want %.60q", got, text)
	}
	c.Send(t, "the end of it")
	c.CloseWrite(t)
	c.ExpectEnd(t)
	p.Said(t, "client ended inside a frame, 13 bytes of it came")
}

// What a client has sent before it said that nothing follows is answered.
func TestHalfClose(t *testing.T) {
	p := start(t, "-workers", "2")
	c := p.Dial(t)
	text := echotest.Numbered(3000)
	c.Send(t, "/sleep 50\r\n"+text)
	c.CloseWrite(t)
	c.Expect(t, "slept\r\n"+text)
	c.ExpectEnd(t)
}

// A client that does not read is not read from any more, and costs others nothing. It
// gets everything, in order, when it reads.
func TestNeverReads(t *testing.T) {
	p := start(t, "-workers", "2", "-max", "65536")
	quiet, other := p.Dial(t), p.Dial(t)
	text := strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 1024)
	sent := blast(t, quiet, text, 64)
	for range 100 {
		if got := other.Ask(t, "hello"); got != "hello" {
			t.Fatalf("hello = %q", got)
		}
	}
	before := resident(int64(p.Cmd.Process.Pid))
	if most := int64(3 * output(65536)); before > most+base {
		t.Errorf("the master has %d bytes, with one client that does not read; want %d at most", before, most+base)
	}
	if sent == 64*len(text) {
		t.Errorf("%d bytes went out, and nobody read", sent)
	}
	done := make(chan error, 1)
	go func() { // ends with the copy
		_, err := io.CopyN(io.Discard, quiet.R, int64(sent-sent%1024))
		done <- err
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// base is what the master takes by itself, in bytes.
const base = 64 << 20

// blast sends text again and again, as long as it goes out, and returns how many bytes
// did.
func blast(tb testing.TB, c *echotest.Client, text string, times int) (sent int) {
	tb.Helper()
	for range times {
		if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			tb.Error(err)
		}
		n, err := io.WriteString(c, text)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			tb.Error(err)
			break
		}
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		tb.Error(err)
	}
	return sent
}

// Clients that do nothing cost memory, and nobody else's time.
func TestIdle(t *testing.T) {
	limit := new(syscall.Rlimit)
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, limit); err != nil || limit.Max < uint64(2**idle) {
		t.Skipf("needs %d descriptors: limit %d, %v", 2**idle, limit.Max, err)
	}
	p := start(t, "-workers", "2")
	before := resident(int64(p.Cmd.Process.Pid))
	for range *idle {
		p.Dial(t)
	}
	r := stats(t, p)
	for r.Connections < int64(*idle) {
		r = stats(t, p)
	}
	each := (resident(int64(p.Cmd.Process.Pid)) - before) / int64(*idle)
	t.Logf("%d bytes for each of %d idle clients", each, *idle)
	if got := p.Dial(t).Ask(t, "hello"); got != "hello" {
		t.Errorf("hello = %q", got)
	}
	if d := r.Spread[0] - r.Spread[1]; d < -1 || d > 1 {
		t.Errorf("connections %v, want an even spread", r.Spread)
	}
}

// Workers that stand still stop the reading of those who ask them, so that the memory
// of the master stays within what is documented. When they go on all are answered.
func TestOverload(t *testing.T) {
	const workers, clients, frame = 2, 32, 16 << 10
	p := start(t, "-workers", fmt.Sprint(workers), "-max", fmt.Sprint(frame))
	pids := stats(t, p).PIDs
	for _, pid := range pids {
		if err := syscall.Kill(int(pid), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Repeat(strings.Repeat("x", frame-2)+"\r\n", 64)
	all := make([]*echotest.Client, clients)
	sent := make([]int, clients)
	var writers sync.WaitGroup
	for i := range all {
		all[i] = p.Dial(t)
		writers.Go(func() { sent[i] = blast(t, all[i], text, 16) })
	}
	writers.Wait()
	total := 0
	for _, n := range sent {
		total += n
	}
	queued := dispatch.DefaultWindowBytes + 2*dispatch.DefaultQueueBytes + 2*(frame+reserve)
	formula := int64(workers*queued + clients*(epoll.DefaultTurn+2*frame))
	got := resident(int64(p.Cmd.Process.Pid))
	t.Logf("%d bytes sent, the master has %d, the formula says %d and %d besides", total, got, formula, base)
	if got > formula+base {
		t.Errorf("the master has %d bytes, want %d at most", got, formula+base)
	}
	for _, pid := range pids {
		if err := syscall.Kill(int(pid), syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	var readers sync.WaitGroup
	for i, c := range all {
		readers.Go(func() {
			whole := sent[i] - sent[i]%frame
			reply := make([]byte, whole)
			if _, err := io.ReadFull(c.R, reply); err != nil || !bytes.Equal(reply, bytes.Repeat([]byte(text[:frame]), whole/frame)) {
				t.Errorf("client %d of %d bytes: %v, or another answer", i, whole, err)
			}
		})
	}
	readers.Wait()
}

// A worker that is stopped, and not dead, keeps what it was sent. Others go on. When it
// is killed what it has is sent to another one.
func TestStoppedWorker(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGCONT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			p := start(t, "-workers", "2")
			a, b := p.Dial(t), p.Dial(t)
			pid := a.Ask(t, "/pid")
			var n int
			if _, err := fmt.Sscan(pid, &n); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(n, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			text := echotest.Numbered(2000)
			a.Send(t, text)
			for range 100 {
				if got := b.Ask(t, "hello"); got != "hello" {
					t.Fatalf("hello = %q", got)
				}
			}
			if err := syscall.Kill(n, sig); err != nil {
				t.Fatal(err)
			}
			a.Expect(t, text)
		})
	}
}

// What a client has asked for that has gone since is not carried out, but what a worker
// has already, and each connection is closed once.
func TestClientsGo(t *testing.T) {
	const clients, each = 40, 100
	p := start(t, "-workers", "2")
	pids := stats(t, p).PIDs
	asked, _ := p.DialAll(t, 2)
	if asked[0].Ask(t, "/pid") != fmt.Sprint(pids[0]) {
		slices.Reverse(asked)
	}
	if err := syscall.Kill(int(pids[1]), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := p.Report(t, asked[0]).Requests
	var gone []*echotest.Client
	for range clients {
		c := p.Dial(t)
		c.Send(t, strings.Repeat("hello\r\n", each))
		gone = append(gone, c)
	}
	for p.Report(t, asked[0]).Requests < before+clients*each {
		continue
	}
	for _, c := range gone {
		if err := errors.Join(c.Conn.(*net.TCPConn).SetLinger(0), c.Close()); err != nil { // a reset
			t.Fatal(err)
		}
	}
	for p.Report(t, asked[0]).Connections > 2 {
		continue
	}
	if err := syscall.Kill(int(pids[1]), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r := stats(t, p)
	for r.Unanswered > 1 {
		r = stats(t, p)
	}
	if r.Dropped < clients/2*each-window-each || r.Accepted-r.Closed != r.Connections {
		t.Errorf("%+v, %+v; want %d dropped at least", r, r.Report, clients/2*each-window)
	}
}

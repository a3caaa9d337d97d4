//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/echotest"
	"github.com/plait-go/plait/examples/echo/loop"
)

// The client reads when the server has stopped reading: for a short stream that is
// when its end has been told, too.
func TestLateReaderGetsEverything(t *testing.T) {
	const frame = 256 << 10 // bytes
	for _, size := range []int{frame, 32 << 20} {
		p := start(t, "-frame", "length")
		c := p.Dial(t)
		all := make([]byte, size)
		for i := range all {
			all[i] = byte(i / 7)
		}
		for i := 0; i < size; i += frame {
			binary.BigEndian.PutUint32(all[i:], frame-4)
		}
		n := writeUnread(t, c, all)
		if n == size {
			c.CloseWrite(t)
		} else {
			go func() { // ends with the connection, at the latest
				_, _ = c.Write(all[n:]) // what is missing is noticed below
				_ = c.Conn.(*net.TCPConn).CloseWrite()
			}()
		}
		got, err := io.ReadAll(c.R)
		if err != nil || !bytes.Equal(got, all) {
			t.Errorf("after %d bytes unread, %d of %d came back, %v", n, len(got), size, err)
		}
		c.HangUp(t)
		if complaints := p.Stop(t); complaints != nil {
			t.Errorf("stderr has %q", complaints)
		}
	}
}

// A client that has told that it sends nothing else may take its time to read: the
// bound on closing is for those that broke the framing.
func TestSlowReaderIsNotCut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes longer than a bound")
	}
	t.Parallel()
	p := echotest.Start(t, command(t, "-addr", "unix:"+filepath.Join(t.TempDir(), "socket"), "-frame", "raw"))
	c := p.Dial(t)
	all := strings.Repeat("0123456789abcdef", 25<<10) // more than a UNIX socket takes
	c.Send(t, all)
	c.CloseWrite(t)
	<-time.After(drain + time.Second)
	c.Expect(t, all)
	c.ExpectEnd(t)
	if complaints := p.Stop(t); complaints != nil {
		t.Errorf("stderr has %q", complaints)
	}
}

// The replies to short commands are much longer. The server does not let them pile
// up while the client does not read, nor does it forget the rest.
func TestRepliesToUnreadCommandsDoNotPileUp(t *testing.T) {
	const n = 20_000
	p := echotest.Start(t, command(t, "-addr", "unix:"+filepath.Join(t.TempDir(), "socket")))
	before := resident(t, p)
	c := p.Dial(t)
	go func() { // ends with the connection, at the latest
		_, _ = io.WriteString(c, strings.Repeat("/nonsense\r\n", n)+"last\r\n") // what is missing is noticed below
	}()
	other := p.Dial(t)
	p.BegunOf(t, other, 1000)
	seen := int64(0)
	for range 1000 { // until the server goes on no more
		seen = max(seen, p.Report(t, other).BytesOut)
	}
	if got := resident(t, p) - before; got > 64<<20 {
		t.Errorf("%d bytes unread cost %d bytes of memory", seen, got)
	}
	for range n {
		if line := c.Line(t); !strings.HasPrefix(line, `error: unknown command "/nonsense"`) {
			t.Fatalf("/nonsense = %q", line)
		}
	}
	c.Expect(t, "last\r\n")
}

// Requests are answered without an allocation, on the server's side as well.
func TestRequestsAllocateNothing(t *testing.T) {
	for _, kind := range []string{"raw", "length", "eof"} {
		addr := "unix:" + filepath.Join(t.TempDir(), "socket")
		flags := flag.NewFlagSet("thread", flag.ContinueOnError)
		code := echo.Main(flags, []string{"-workers", "1", "-frame", kind, "-addr", addr}, about, func(config *echo.Config, log *slog.Logger) error {
			n, err := allocations(config, log)
			if perRequest := float64(n) / 10_000; perRequest > 0.01 {
				t.Errorf("-frame %s: %v allocations a request", kind, perRequest)
			}
			return err
		})
		if code != 0 {
			t.Errorf("-frame %s: code %d", kind, code)
		}
	}
}

// allocations runs a server, and returns how many allocations 10,000 requests of a
// client cost, 8 at a time.
func allocations(config *echo.Config, log *slog.Logger) (uint64, error) {
	fd, addr, unlink, err := loop.Listen(config.Addr)
	if err != nil {
		return 0, err
	}
	defer unlink()
	s, err := newServer(config, log, fd)
	if err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.loops.Run() }() // ends after stop
	c, err := net.Dial("unix", strings.TrimPrefix(addr, "unix:"))
	if err != nil {
		return 0, err
	}
	frames := []byte(strings.Repeat("\x00\x00\x00\x06hell\r\n", 8)) // whatever kind they are of
	reply := make([]byte, len(frames))
	var before, after runtime.MemStats
	for i := range 11_000 / 8 {
		if i == 1000/8 {
			runtime.ReadMemStats(&before)
		}
		if _, err := c.Write(frames); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, reply); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	_ = c.Close() // all is said
	s.stop()
	return after.Mallocs - before.Mallocs, <-ended
}

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// lost is the reply to a command that had begun when its worker died.
const lost = "error: request lost"

// A load is clients that stay connected, and send requests, so many at a time, until it
// ends. What becomes of each is counted. A connection that breaks is an error, and so is
// an answer that is not that of the next request.
type load struct {
	request func(client, n int) (line, reply string) // reply "" stands for any
	depth   int                                      // requests at a time
	stop    atomic.Bool
	clients sync.WaitGroup

	sent     atomic.Int64
	answered atomic.Int64
	lost     atomic.Int64

	mu  sync.Mutex
	err error // the first
}

// echoed is requests whose replies tell that they are the right ones.
func echoed(client, n int) (line, reply string) {
	line = fmt.Sprintf("line %d of client %d", n, client)
	return line, line
}

// begin connects n clients, and has them begin.
func (l *load) begin(tb testing.TB, p *echotest.Process, n int) {
	tb.Helper()
	for i := range n {
		c := p.Dial(tb)
		if err := c.SetDeadline(time.Now().Add(*runtime)); err != nil {
			tb.Fatal(err)
		}
		l.clients.Go(func() {
			if err := l.client(c, c.R, i); err != nil {
				l.mu.Lock()
				defer l.mu.Unlock()
				if l.err == nil {
					l.err = fmt.Errorf("client %d: %w", i, err)
				}
			}
		})
	}
}

// end has them end when they have all answers, and reports what was wrong.
func (l *load) end(tb testing.TB) {
	tb.Helper()
	l.stop.Store(true)
	l.clients.Wait()
	if l.err != nil {
		tb.Error(l.err)
	}
	if l.sent.Load() != l.answered.Load()+l.lost.Load() {
		tb.Errorf("%v; want an answer to each", l)
	}
}

func (l *load) String() string {
	return fmt.Sprintf("%d sent, %d answered, %d told lost", l.sent.Load(), l.answered.Load(), l.lost.Load())
}

// client sends requests, and reads the replies.
func (l *load) client(c net.Conn, in *bufio.Reader, client int) error {
	for n := 0; !l.stop.Load(); {
		var out strings.Builder
		want := make([]string, 0, l.depth)
		for range l.depth {
			line, reply := l.request(client, n)
			out.WriteString(line + "\r\n")
			want = append(want, reply)
			n++
		}
		l.sent.Add(int64(l.depth))
		if _, err := io.WriteString(c, out.String()); err != nil {
			return err
		}
		for _, want := range want {
			got, err := in.ReadString('\n')
			if err != nil {
				return fmt.Errorf("after %q: %w", got, err)
			}
			switch got = strings.TrimSuffix(got, "\r\n"); {
			case got == want || want == "" && got != lost:
				l.answered.Add(1)
			case got == lost && strings.HasPrefix(out.String(), "/"):
				l.lost.Add(1)
			default:
				return fmt.Errorf("reply %q, want %q", got, want)
			}
		}
	}
	return nil
}

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// A load is clients that connect, send lines, and disconnect, again and again. What
// becomes of every line, and every connection, is counted.
type load struct {
	addr    string
	pause   time.Duration // between two lines of a client
	stop    atomic.Bool
	clients sync.WaitGroup

	connections atomic.Int64 // that were established
	refused     atomic.Int64
	broken      atomic.Int64 // that ended before their client wanted
	sent        atomic.Int64 // lines
	answered    atomic.Int64
	wrong       atomic.Int64 // answers that are not the line, once and in order
}

// begin has n clients begin.
func (l *load) begin(n int) {
	for i := range n {
		l.clients.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for !l.stop.Load() {
				l.connection(i, 1+r.IntN(200))
			}
		})
	}
}

// end has them finish what they have in hand.
func (l *load) end() {
	l.stop.Store(true)
	l.clients.Wait()
}

// connection connects, and has so many lines echoed. Each is sent once.
func (l *load) connection(client, lines int) {
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		l.refused.Add(1)
		return
	}
	defer func() { _ = c.Close() }() // only reading matters
	number := l.connections.Add(1)
	_ = c.SetDeadline(time.Now().Add(echotest.Patience)) // a late answer is none
	r := bufio.NewReader(c)
	for i := range lines {
		line := fmt.Sprintf("client %d connection %d line %d\r\n", client, number, i)
		if _, err := io.WriteString(c, line); err != nil {
			l.broken.Add(1)
			return
		}
		l.sent.Add(1)
		got, err := r.ReadString('\n')
		if err != nil {
			l.broken.Add(1)
			return
		}
		if l.answered.Add(1); got != line {
			l.wrong.Add(1)
		}
		time.Sleep(l.pause)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		l.broken.Add(1)
		return
	}
	if rest, err := io.ReadAll(r); err != nil {
		l.broken.Add(1)
	} else if len(rest) > 0 {
		l.wrong.Add(1)
	}
}

func (l *load) String() string {
	return fmt.Sprintf("%d connections, %d refused, %d broken; %d lines, %d answered, %d of them wrong",
		l.connections.Load(), l.refused.Load(), l.broken.Load(), l.sent.Load(), l.answered.Load(), l.wrong.Load())
}

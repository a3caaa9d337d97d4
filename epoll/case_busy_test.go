//go:build linux

package epoll_test

import (
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A Loop that always has something to do does not keep another one from what it has
// to do, even if the rest of the process is idle: who looks after that is the
// runtime's monitor, which sleeps then.
func TestBusyLoopBesideAnother(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		// The one is busy from when a child writes to its pipe until the other, to whom
		// the child writes then, has heard of that.
		const rounds = 100
		var heard atomic.Int64
		done := make(chan int64, 1) // rounds
		var round int64
		var began time.Time
		one, other := watchPipe(t, w), watchPipe(t, w)
		one.watch(func() {
			switch {
			case began.IsZero():
				began = time.Now()
			case heard.Load() > round, time.Since(began) > patience/10:
				if began = (time.Time{}); heard.Load() == round || round == rounds {
					done <- round
					one.loop.Stop()
				}
				one.take()
				round++
			}
		})
		other.watch(func() {
			other.take()
			heard.Add(1)
		})
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "while sleep 0.005; do printf x; printf x >&2; done")
		cmd.Stdout, cmd.Stderr = one.write, other.write
		must(t, cmd.Start())
		if n := next(t, done); n < rounds {
			t.Errorf("round %d: the one Loop is busy, and the other has heard nothing for %v", n, patience/10)
		}
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	})
}

// A pipeLoop is a Loop that watches a pipe.
type pipeLoop struct {
	testing.TB
	loop        *epoll.Loop
	fd          int
	read, write *os.File
}

func watchPipe(tb testing.TB, w epoll.Waiting) *pipeLoop {
	tb.Helper()
	p := &pipeLoop{TB: tb, loop: newLoop(tb, w)}
	var err error
	p.read, p.write, err = os.Pipe()
	must(tb, err)
	tb.Cleanup(func() {
		must(tb, p.read.Close())
		must(tb, p.write.Close())
	})
	return p
}

// watch has the loop call fn as long as there is something to read.
func (p *pipeLoop) watch(fn func()) {
	p.Helper()
	p.fd = int(p.read.Fd())
	_, err := p.loop.Add(p.fd, epoll.Readable, func(epoll.Events) { fn() })
	must(p.TB, err)
	run(p.TB, p.loop)
}

// take reads a byte.
func (p *pipeLoop) take() {
	if n, err := unix.Read(p.fd, make([]byte, 1)); n != 1 || err != nil {
		p.Errorf("read: %d, %v", n, err)
	}
}

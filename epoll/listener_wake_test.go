//go:build linux

package epoll_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds/leaktest"
)

// The kernel wakes one of those that wait for a shared socket. One that has as many
// Conns as it may must leave the wake-up to the others: nobody hears of it again.
func TestWakeOneReachesALoopBelowItsLimit(t *testing.T) {
	const batch = 64 // as many as a Loop accepts at once
	leaktest.Check(t)
	e := listenAt(t, "tcp")
	shared, err := unix.FcntlInt(uintptr(e.fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	limited, free := newLoop(t, epoll.Block), newLoop(t, epoll.Block)
	opened := make(chan struct{}, batch)
	h := &epoll.Handler{Opened: func(*epoll.Conn) error { opened <- struct{}{}; return nil }}
	_, err = limited.Listen(e.fd, h, &epoll.ListenOptions{Wake: epoll.WakeOne, Limit: batch})
	must(t, err)
	for range batch {
		e.dial(t)
	}
	run(t, limited)
	for range batch {
		next(t, opened)
	}
	_, err = free.Listen(shared, h, &epoll.ListenOptions{Wake: epoll.WakeOne})
	must(t, err)
	run(t, free)
	asleep(t, limited)
	asleep(t, free)
	e.dial(t)
	next(t, opened)
	if limited.Len() != batch || free.Len() != 1 {
		t.Errorf("%d Conns where %d are the limit, %d where there is none; want as many, and 1", limited.Len(), batch, free.Len())
	}
}

// asleep returns when the thread of l is asleep, or else after a while: then a test
// sees less.
func asleep(tb testing.TB, l *epoll.Loop) {
	tb.Helper()
	tid := 0
	on(tb, l, func() { tid = unix.Gettid() })
	for until := time.Now().Add(time.Second); time.Now().Before(until); {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
		if i := bytes.LastIndexByte(stat, ')'); err == nil && bytes.HasPrefix(stat[i+1:], []byte(" S")) {
			return
		}
	}
}

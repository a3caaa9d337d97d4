//go:build linux

package sysvmsg

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// MaxBlocked is how many threads of the process wait in the kernel at most, for all
// queues together.
const MaxBlocked = 64

// tapAgain is how often a thread is interrupted until it has noticed.
const tapAgain = time.Millisecond

var (
	// places has an element for each thread that waits in the kernel.
	places = make(chan struct{}, MaxBlocked) //nolint:gochecknoglobals // threads are the process's

	// beds are those that nobody uses, no more than there are places.
	beds struct { //nolint:gochecknoglobals // one for each place
		sync.Mutex
		free []*bed
	}
)

// A bed is what a thread sleeps in that a context can wake.
//
// What was asked of the context stays asked when the thread has left, so that
// sleeping again and again with the same one allocates nothing. A context that has
// ended is not kept.
type bed struct {
	tapFn func() // tap, made once

	mu     sync.Mutex
	thread int             // that sleeps, or 0
	done   <-chan struct{} // of the context that tapFn is asked of, or nil
	stop   func() bool     // asks it no more
	awake  chan struct{}   // closed to end the tap that is at work; nil if there is none
	ended  chan struct{}   // closed when it has
}

// takeBed returns a bed for the calling thread, which ctx wakes when it ends.
func takeBed(ctx context.Context) *bed {
	beds.Lock()
	var b *bed
	if last := len(beds.free) - 1; last >= 0 {
		b, beds.free = beds.free[last], beds.free[:last]
	}
	beds.Unlock()
	if b == nil {
		b = &bed{}
		b.tapFn = b.tap
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.thread = unix.Gettid()
	if b.done != ctx.Done() {
		if b.stop != nil {
			b.stop()
		}
		b.done, b.stop = ctx.Done(), context.AfterFunc(ctx, b.tapFn)
	}
	return b
}

// tap interrupts the thread again and again until it leaves: a signal may arrive
// just before the system call, and then does not interrupt it. It runs when a
// context ends, also one that was asked before, which is nobody's concern any more.
func (b *bed) tap() {
	b.mu.Lock()
	if b.thread == 0 {
		b.forget()
	}
	if b.thread == 0 || b.awake != nil || !over(b.done) {
		b.mu.Unlock()
		return
	}
	// A bed serves whoever comes next, but in a bubble of testing/synctest channels
	// are the bubble's. So they are this tap's alone.
	awake, ended := make(chan struct{}), make(chan struct{})
	defer close(ended)
	b.awake, b.ended = awake, ended
	thread := b.thread
	b.mu.Unlock()
	again := time.NewTicker(tapAgain)
	defer again.Stop()
	for {
		_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG) // the thread waits for ended, later
		select {
		case <-awake:
			return
		case <-again.C:
		}
	}
}

// leave gives the bed back. No signal comes after that.
func (b *bed) leave() {
	b.mu.Lock()
	b.thread = 0
	awake, ended := b.awake, b.ended
	b.awake, b.ended = nil, nil
	b.forget()
	b.mu.Unlock()
	if awake != nil {
		close(awake)
		<-ended
	}
	beds.Lock()
	beds.free = append(beds.free, b)
	beds.Unlock()
}

// forget lets go of a context that has ended, with all that it refers to. The caller
// has b.mu.
func (b *bed) forget() {
	if over(b.done) {
		b.done, b.stop = nil, nil
	}
}

// over reports whether a context has ended.
func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

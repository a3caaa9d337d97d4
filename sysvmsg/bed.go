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
// sleeping again and again with the same one allocates nothing.
type bed struct {
	tapFn func() // tap, made once

	mu      sync.Mutex
	thread  int             // that sleeps, or 0
	done    <-chan struct{} // of the context that tapFn is asked of, or nil
	stop    func() bool
	tapping bool          // tap is at work
	awake   chan struct{} // tells it to end
	ended   chan struct{} // it has
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
		b = &bed{awake: make(chan struct{}), ended: make(chan struct{})}
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
	if b.thread == 0 || b.tapping || !over(b.done) {
		b.mu.Unlock()
		return
	}
	b.tapping = true
	thread := b.thread
	b.mu.Unlock()
	again := time.NewTicker(tapAgain)
	defer again.Stop()
	for {
		_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG) // the thread waits for ended, later
		select {
		case <-b.awake:
			b.ended <- struct{}{}
			return
		case <-again.C:
		}
	}
}

// leave gives the bed back. No signal comes after that.
func (b *bed) leave() {
	b.mu.Lock()
	b.thread = 0
	tapping := b.tapping
	b.tapping = false
	b.mu.Unlock()
	if tapping {
		b.awake <- struct{}{}
		<-b.ended
	}
	beds.Lock()
	beds.free = append(beds.free, b)
	beds.Unlock()
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

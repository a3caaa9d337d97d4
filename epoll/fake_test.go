//go:build linux

package epoll

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A fakeKernel is a kernel whose descriptors, failures and time are the test's. It
// fails the test when the package uses a descriptor that it does not have.
//
// The numbers are real: all are those of one socket that nobody uses, so that what
// the package asks of the system itself, such as the options of a socket, works.
type fakeKernel struct {
	tb      testing.TB
	anchor  int               // the socket behind the numbers
	files   map[int]*fakeFile // what is open, by number
	set     []*fakeInterest   // the epoll set, in the order in which it is told
	clock   time.Time
	woken   atomic.Bool
	closed  bool
	polling bool // wait returns at once, and time stands still
	batch   int  // most events at once, 0 for any number
	calls   map[string]int
	script  map[string][]unix.Errno // how the next calls end, by name; 0 lets one pass
	chaos   *rand.Rand              // nil: calls do what they can
	told    []Event                 // by the last wait
	renewed int
	failing bool        // the last accept failed as scripted
	idle    func() bool // called before a wait for ever, and reports whether there is something now
}

// errStuck is what a wait returns that nothing would end.
var errStuck = errors.New("fake kernel: nothing will ever happen")

// newFakeKernel returns a fakeKernel without descriptors. At the end of the test
// none of those that the Loop owned may be open.
func newFakeKernel(tb testing.TB) *fakeKernel {
	tb.Helper()
	anchor, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	k := &fakeKernel{
		tb: tb, anchor: anchor,
		files:  make(map[int]*fakeFile),
		clock:  time.Unix(1<<30, 0),
		calls:  make(map[string]int),
		script: make(map[string][]unix.Errno),
	}
	tb.Cleanup(k.end)
	return k
}

// newFakeLoop returns a Loop on a fakeKernel, which is closed at the end of the
// test.
func newFakeLoop(tb testing.TB, opts *Options) (*Loop, *fakeKernel) {
	tb.Helper()
	if opts == nil {
		opts = new(Options)
	}
	k := newFakeKernel(tb)
	l := newLoop(k.kernel(), opts)
	tb.Cleanup(func() { _ = l.Close() }) // ErrStopped if it has run
	return l, k
}

// end looks for what was left open, and gives the numbers back.
func (k *fakeKernel) end() {
	for fd, f := range k.files {
		if !f.foreign && !k.tb.Failed() {
			k.tb.Errorf("descriptor %d, which is the Loop's, is left open", fd)
		}
		_ = unix.Close(fd) // of the anchor
	}
	_ = unix.Close(k.anchor)
}

// kernel returns what a Loop sees of k.
func (k *fakeKernel) kernel() kernel {
	return kernel{
		add:    k.add,
		modify: k.modify,
		remove: k.remove,
		wait:   k.wait,
		wake:   func() error { k.woken.Store(true); return nil },
		renew:  k.renew,
		close:  k.close,
		now:    func() time.Time { return k.clock },
		stream: stream{
			read:     k.read,
			write:    k.write,
			writev:   k.writev,
			accept:   k.accept,
			pending:  k.someoneWaits,
			connect:  k.connect,
			shutdown: k.shutdown,
			closeFD:  k.closeFD,
			reset:    k.reset,
			unsent:   func(fd int) int { return k.file("unsent", fd).unacknowledged },
			largest:  func(int) int { return 1 << 16 },
			soError:  k.soError,
		},
	}
}

// open returns the lowest free number, which is f's from now on.
func (k *fakeKernel) open(f *fakeFile) int {
	k.tb.Helper()
	fd, err := unix.FcntlInt(uintptr(k.anchor), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		k.tb.Fatal(err)
	}
	k.adopt(fd, f)
	return fd
}

// openAs is open for a number that is free.
func (k *fakeKernel) openAs(fd int, f *fakeFile) {
	k.tb.Helper()
	if err := unix.Dup3(k.anchor, fd, unix.O_CLOEXEC); err != nil {
		k.tb.Fatal(err)
	}
	k.adopt(fd, f)
}

func (k *fakeKernel) adopt(fd int, f *fakeFile) {
	f.kernel = k
	f.refs++
	k.files[fd] = f
}

// closeForeign closes a descriptor of the test's.
func (k *fakeKernel) closeForeign(fd int) {
	k.tb.Helper()
	if f := k.files[fd]; f == nil || !f.foreign {
		k.tb.Fatalf("descriptor %d is not the test's", fd)
	}
	k.forget(fd)
}

// forget frees a number. What is registered for the last one of a file goes with
// it; what is registered for another one stays.
func (k *fakeKernel) forget(fd int) {
	f := k.files[fd]
	delete(k.files, fd)
	_ = unix.Close(fd) // of the anchor
	if f.refs--; f.refs > 0 {
		return
	}
	kept := k.set[:0]
	for _, in := range k.set {
		if in.file != f {
			kept = append(kept, in)
		}
	}
	clear(k.set[len(kept):])
	k.set = kept
}

// file counts a call, and returns what fd stands for. That of no descriptor of the
// Loop's is a mistake of the package.
func (k *fakeKernel) file(call string, fd int) *fakeFile {
	k.calls[call]++
	f := k.files[fd]
	if f == nil {
		k.tb.Errorf("%s of descriptor %d, which is not open", call, fd)
		return &fakeFile{kernel: k, eof: true, gone: true}
	}
	if f.foreign {
		k.tb.Errorf("%s of descriptor %d, which is not the Loop's", call, fd)
	}
	return f
}

// scripted returns how a call is to end, and 0 if that is not laid down.
func (k *fakeKernel) scripted(call string) unix.Errno {
	s := k.script[call]
	if len(s) == 0 {
		return 0
	}
	k.script[call] = s[1:]
	return s[0]
}

// setClock is for those who keep the time themselves.
func (k *fakeKernel) setClock(now time.Time) { k.clock = now }

// luck reports true once in n times where there is chaos.
func (k *fakeKernel) luck(n int) bool { return k.chaos != nil && k.chaos.IntN(n) == 0 }

// total returns how many calls there were of all kinds.
func (k *fakeKernel) total() int {
	n := 0
	for _, calls := range k.calls {
		n += calls
	}
	return n
}

// rest runs rounds, without waiting, until there is nothing more to do, and
// returns how many there were.
func (k *fakeKernel) rest(l *Loop) int {
	k.tb.Helper()
	k.polling = true
	defer func() { k.polling = false }()
	l.tidy()
	for n := 1; n < 10_000; n++ {
		busy := k.pending(l)
		k.woken.Store(false)
		if err := l.round(); err != nil {
			k.tb.Fatalf("round: %v", err)
		}
		if !busy && len(k.told) == 0 && !k.pending(l) {
			return n
		}
	}
	k.tb.Fatal("the Loop does not come to rest")
	return 0
}

// pending reports whether the Loop has something to do without an event.
func (k *fakeKernel) pending(l *Loop) bool {
	due := len(l.timers) > 0 && !l.timers[0].when.After(k.clock)
	return due || k.woken.Load() || len(l.defers.waiting) > 0 || !l.posts.empty()
}

// advance lets time pass, and has the Loop do what is due by then.
func (k *fakeKernel) advance(l *Loop, d time.Duration) {
	k.tb.Helper()
	k.rest(l)
	for end := k.clock.Add(d); ; {
		next := l.deadline()
		if next.IsZero() || next.After(end) {
			k.clock = end
			k.rest(l)
			return
		}
		if next.After(k.clock) {
			k.clock = next
		}
		k.rest(l)
	}
}

//go:build linux

package procpool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/userprocess"
)

// A fake is a worker without a process. It does what its life says, in a goroutine
// that ends with it.
type fake struct {
	slot        int
	incarnation int
	pid         int
	orders      chan order
	signals     chan syscall.Signal
	killed      chan struct{}
	kill        sync.Once
	tell        func(notice)
}

func (f *fake) PID() int     { return f.pid }
func (f *fake) Tell(o order) { f.orders <- o }
func (f *fake) say(words ...word) {
	for _, w := range words {
		f.tell(notice{word: w})
	}
}

func (f *fake) Signal(sig syscall.Signal) error {
	f.signals <- sig
	return nil
}

func (f *fake) Kill() error {
	f.kill.Do(func() { close(f.killed) })
	return nil
}

// good serves until it is asked to finish.
func good(f *fake) int {
	f.say(wordReady)
	return f.untilAsked()
}

func (f *fake) untilAsked() int {
	select {
	case <-f.orders:
		return 0
	case <-f.signals:
		return 0
	case <-f.killed:
		return -1
	}
}

// deafWorker is ready, and has to be killed.
func deafWorker(f *fake) int {
	f.say(wordReady)
	<-f.killed
	return -1
}

// lasts returns a life that is ready for so long, and then ends.
func lasts(d time.Duration, code int) func(*fake) int {
	return func(f *fake) int {
		f.say(wordReady)
		select {
		case <-time.After(d):
			return code
		case <-f.orders:
			return 0
		case <-f.signals:
			return 0
		case <-f.killed:
			return -1
		}
	}
}

// A world is a Pool of fakes, with a record of what happens.
type world struct {
	*testing.T
	*Pool
	began  time.Time
	ctx    context.Context
	cancel func()
	done   chan error

	mu   sync.Mutex
	log  []string
	all  []Event
	pids int
}

// newWorld returns a Pool whose workers live as life says. An error instead of a life
// is that of the start. It is to be called, and used, in a bubble.
func newWorld(t *testing.T, groups []*Group, o *Options, life func(slot, incarnation int) (func(*fake) int, error)) *world {
	t.Helper()
	w := newWorldOf(t, groups, o, life)
	go w.run()
	synctest.Wait()
	return w
}

func (w *world) run() { w.done <- w.Pool.Run(w.ctx) }

// newWorldOf is newWorld, but that the Pool does not run.
func newWorldOf(t *testing.T, groups []*Group, o *Options, life func(slot, incarnation int) (func(*fake) int, error)) *world {
	t.Helper()
	w := &world{T: t, began: time.Now(), done: make(chan error, 1)}
	if o == nil {
		o = new(Options)
	}
	o.Event = w.note
	for _, g := range groups {
		if g.Command.Role == "" && g.Command.Path == "" {
			g.Command.Role = "fake"
		}
	}
	p, err := New(groups, o)
	if err != nil {
		t.Fatal(err)
	}
	w.Pool = p
	for _, s := range p.slots {
		s.start = func(_ context.Context, p *proc, tell func(notice)) (child, error) {
			live, err := life(s.number, p.incarnation)
			if err != nil {
				return nil, err
			}
			w.mu.Lock()
			w.pids++
			f := &fake{
				slot: s.number, incarnation: p.incarnation, pid: w.pids, tell: tell,
				orders: make(chan order, 8), signals: make(chan syscall.Signal, 8), killed: make(chan struct{}),
			}
			w.mu.Unlock()
			go func() {
				e := userprocess.Exit{Code: live(f)}
				if e.Code < 0 {
					e.Signal = syscall.SIGKILL
				}
				tell(notice{word: wordExited, exit: e})
			}()
			return f, nil
		}
	}
	w.ctx, w.cancel = context.WithCancel(t.Context())
	return w
}

// note records an event with the time since the beginning.
func (w *world) note(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, e)
	e.PID = 0
	w.log = append(w.log, fmt.Sprintf("%v: %v", e.Time.Sub(w.began), e))
}

// since returns the record from n on.
func (w *world) since(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log[n:])
}

func (w *world) stop() error {
	w.Helper()
	w.cancel()
	return <-w.done
}

// states returns what Status tells, one word for each process.
func (w *world) states() string {
	var all []string
	for _, st := range w.Status() {
		all = append(all, fmt.Sprintf("%d.%d %v", st.Slot, st.Incarnation, st.State))
	}
	return strings.Join(all, ", ")
}

func always(life func(*fake) int) func(int, int) (func(*fake) int, error) {
	return func(int, int) (func(*fake) int, error) { return life, nil }
}

// bubble runs a test in a bubble, whose time passes only while everybody waits.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// expect compares the events with a record, a line each.
func (w *world) expect(want ...string) {
	w.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, w.since(0)); diff != "" {
		w.Errorf("events (-want +got):\n%s", diff)
	}
}

// ordered is expect for those events since n whose line has this after the time.
func (w *world) ordered(n int, of string, want ...string) {
	w.Helper()
	synctest.Wait()
	var got []string
	for _, line := range w.since(n) {
		if _, event, _ := strings.Cut(line, ": "); strings.HasPrefix(event, of) {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("events of %s (-want +got):\n%s", of, diff)
	}
}

// in checks what Status tells.
func (w *world) in(want string) {
	w.Helper()
	synctest.Wait()
	if got := w.states(); got != want {
		w.Errorf("after %v: %s; want %s", time.Since(w.began), got, want)
	}
}

var errNoFork = errors.New("no fork")

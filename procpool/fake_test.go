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
		s.start = func(_ context.Context, incarnation int, tell func(notice)) (child, error) {
			live, err := life(s.number, incarnation)
			if err != nil {
				return nil, err
			}
			w.mu.Lock()
			w.pids++
			f := &fake{
				slot: s.number, incarnation: incarnation, pid: w.pids, tell: tell,
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
	w.ctx, w.cancel = context.WithCancel(context.Background())
	go func() { w.done <- p.Run(w.ctx) }()
	synctest.Wait()
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

var errNoFork = errors.New("no fork")

func TestPoolStartsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 2}, {Name: "b", Kind: UserProcesses}}, nil, always(good))
		if got := w.states(); got != "0.1 idle, 1.1 idle, 0.1 idle" {
			t.Errorf("states: %s", got)
		}
		if err := w.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		for _, line := range w.since(0) {
			t.Log(line)
		}
		t.Log(w.states(), w.Counters())
	})
}

func TestPoolBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(lasts(time.Millisecond, 1)))
		time.Sleep(30 * time.Second)
		w.stop()
		for _, line := range w.since(0) {
			t.Log(line)
		}
	})
}

func TestPoolReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 2}}, nil, func(_, inc int) (func(*fake) int, error) {
			switch inc {
			case 2:
				return deafWorker, nil
			case 4:
				return lasts(-1, 3), nil
			case 5:
				return nil, errNoFork
			}
			return good, nil
		})
		for range 5 {
			t.Log(w.Reload(t.Context()), time.Since(w.began))
		}
		w.stop()
		for _, line := range w.since(0) {
			t.Log(line)
		}
	})
}

//go:build linux

package epoll_test

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestDrainOfALoopThatHasNothingToDo(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		l.Drain(func(p epoll.Pins) { t.Errorf("the hook got %+v, want no call", p) })
		runHere(t, l)
	})
}

// A Loop that is drained from the beginning does all that there is, and what comes
// of it, and ends then.
func TestDrainRunsWhatIsLeft(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var log []string
		l.Drain(nil)
		l.After(ms, func() {
			log = append(log, "timer")
			must(t, l.Post(func() {
				log = append(log, "post")
				l.Defer(func() {
					log = append(log, "defer")
					must(t, l.Post(func() { log = append(log, "last post") }))
				})
			}))
		})
		runHere(t, l)
		if want := []string{"timer", "post", "defer", "last post"}; !slices.Equal(log, want) {
			t.Errorf("the Loop did %q, want %q", log, want)
		}
	})
}

func TestDrainTellsWhatPinsTheLoop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		in, _ := pipe(t)
		s, err := l.Add(in, epoll.Readable, func(epoll.Events) {})
		must(t, err)
		timer := l.After(time.Hour, func() {})
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{Limits: &epoll.Limits{Idle: time.Hour}} // whose timer is no pin
		c, err := l.Attach(fd, h)
		must(t, err)
		backlog, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Bind(backlog, &unix.SockaddrUnix{}))
		must(t, unix.Listen(backlog, 1))
		ln, err := l.Listen(backlog, h, nil)
		must(t, err)
		a, b := unixPair(t, unix.SOCK_DGRAM)
		closing(t, b, nil)
		packets, err := l.Packets(a, &epoll.PacketHandler{})
		must(t, err)

		var told []epoll.Pins
		end := []func() error{
			ln.Close,
			func() error { return c.Abort(nil) },
			packets.Close,
			func() error { timer.Stop(); return nil },
			s.Remove,
		}
		must(t, l.Post(func() {
			l.Drain(func(p epoll.Pins) {
				if p != l.Pins() {
					t.Errorf("the hook got %+v, Pins = %+v", p, l.Pins())
				}
				told = append(told, p)
				next := end[0]
				end = end[1:]
				rounds(l, 4, func() { must(t, next()) }) // and no call while nothing changes
			})
		}))
		runHere(t, l)
		want := []epoll.Pins{
			{Sources: 1, Packets: 1, Conns: 1, Listeners: 1, Timers: 1},
			{Sources: 1, Packets: 1, Conns: 1, Timers: 1},
			{Sources: 1, Packets: 1, Timers: 1},
			{Sources: 1, Timers: 1},
			{Sources: 1},
		}
		if !slices.Equal(told, want) {
			t.Errorf("the hook got\n%+v, want\n%+v", told, want)
		}
	})
}

// What the hook itself ends needs no event to be noticed.
func TestDrainHookMayEndWhatPins(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		h := new(epoll.Handler)
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		l.Drain(func(epoll.Pins) {
			for c := range l.Conns() {
				must(t, c.Close(nil))
			}
		})
		go func() { _, _ = peer.Read(make([]byte, 1)); _ = peer.Close() }()
		runHere(t, l)
		if reason := next(t, closed); reason != nil {
			t.Errorf("Closed with %v, want nil", reason)
		}
	})
}

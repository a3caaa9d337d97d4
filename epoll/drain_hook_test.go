//go:build linux

package epoll_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A hook that ends what pins the Loop last has it end, though nothing else happens
// any more: without another look at it the Loop would wait for ever.
func TestDrainEndsWhenTheHookEndsTheLastPin(t *testing.T) {
	for name, pin := range map[string]func(tb testing.TB, l *epoll.Loop) (end func()){
		"Conn": func(tb testing.TB, l *epoll.Loop) func() {
			tb.Helper()
			fd, _ := unixPeer(tb, unix.SOCK_STREAM)
			c, err := l.Attach(fd, new(epoll.Handler))
			must(tb, err)
			return func() { must(tb, c.Abort(nil)) }
		},
		"Source": func(tb testing.TB, l *epoll.Loop) func() {
			tb.Helper()
			fd, other := unixPair(tb, unix.SOCK_STREAM)
			s, err := l.Add(fd, epoll.Readable, func(epoll.Events) {})
			must(tb, err)
			return func() {
				must(tb, s.Remove())
				_, _ = unix.Close(fd), unix.Close(other) // they are open
			}
		},
		"Timer": func(_ testing.TB, l *epoll.Loop) func() {
			timer := l.After(time.Hour, func() {})
			return func() { timer.Stop() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				end := pin(t, l)
				calls := 0
				l.Drain(func(epoll.Pins) {
					if calls++; calls == 1 {
						end()
					}
				})
				runHere(t, l)
			})
		})
	}
}

//go:build linux

package epoll_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestPollerClosed(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		a, _ := streams(t)
		must(t, p.Add(a, 0, epoll.Readable))
		must(t, p.Close())
		_, waited := p.Wait(make([]epoll.Event, 1), time.Time{})
		for call, err := range map[string]error{
			"Add":    p.Add(a, 0, epoll.Readable),
			"Modify": p.Modify(a, 0, epoll.Readable),
			"Remove": p.Remove(a),
			"Wait":   waited,
			"Wake":   p.Wake(),
			"Close":  p.Close(),
		} {
			if err != os.ErrClosed {
				t.Errorf("%s of a closed Poller: %v, want os.ErrClosed", call, err)
			}
		}
		if _, err := unix.FcntlInt(uintptr(a), unix.F_GETFD, 0); err != nil {
			t.Errorf("a descriptor that was watched: %v, want it open", err)
		}
	})
}

// A Wake that came too late would write to a number that is another's by then.
func TestPollerWakeWhileItCloses(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for range 100 {
			p := newPoller(t, w)
			var wakers sync.WaitGroup
			for range 2 {
				wakers.Go(func() {
					for p.Wake() == nil {
						continue
					}
				})
			}
			must(t, p.Close())
			fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
			must(t, err)
			wakers.Wait()
			if n, err := unix.Read(fd, make([]byte, 8)); err != unix.EAGAIN {
				t.Errorf("read of an eventfd that got the number = %d, %v; want EAGAIN", n, err)
			}
			must(t, unix.Close(fd))
		}
	})
}

//go:build linux

package epoll_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestLimitsThatContradictEachOther(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		a, _ := streams(t)
		for _, test := range []struct {
			limits epoll.Limits
			says   []string // the field, and its value
		}{
			{epoll.Limits{Turn: -1}, []string{"Limits.Turn", "-1"}},
			{epoll.Limits{Frame: -2}, []string{"Limits.Frame", "-2"}},
			{epoll.Limits{HighWater: -3}, []string{"Limits.HighWater", "-3"}},
			{epoll.Limits{LowWater: -4}, []string{"Limits.LowWater", "-4"}},
			{epoll.Limits{Cap: -5}, []string{"Limits.Cap", "-5"}},
			{epoll.Limits{Idle: -6}, []string{"Limits.Idle", "-6"}},
			{epoll.Limits{Close: -7}, []string{"Limits.Close", "-7"}},
			{epoll.Limits{Dial: -8}, []string{"Limits.Dial", "-8"}},
			{epoll.Limits{HighWater: 10, LowWater: 11}, []string{"Limits.LowWater", "11", "10"}},
			{epoll.Limits{LowWater: 1 << 20}, []string{"Limits.LowWater", "1048576", "262144"}},
			{epoll.Limits{Turn: 5, Frame: 6, HighWater: 7, Cap: 17}, []string{"Limits.Cap", "17", "18"}},
			{epoll.Limits{Cap: 1000}, []string{"Limits.Cap", "1000", "2621440"}},
		} {
			h := &epoll.Handler{Limits: &test.limits}
			_, attached := l.Attach(a, h)
			_, listened := l.Listen(a, h, nil)
			_, dialed := l.Dial(&unix.SockaddrUnix{Name: "@"}, h)
			for call, err := range map[string]error{"Attach": attached, "Listen": listened, "Dial": dialed} {
				if err == nil {
					t.Errorf("%s with %+v is no error", call, test.limits)
					continue
				}
				for _, s := range test.says {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("%s with %+v: %q, want %q in it", call, test.limits, err, s)
					}
				}
			}
		}
		if n := l.Len(); n != 0 {
			t.Errorf("Len = %d, want 0", n)
		}
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		_, err := l.Attach(fd, &epoll.Handler{Limits: &epoll.Limits{Turn: 5, Frame: 6, HighWater: 7, LowWater: 7, Cap: 18}})
		must(t, err)
	})
}

func TestAttachRefuses(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		in, _ := pipe(t)
		datagrams, other := unixPair(t, unix.SOCK_DGRAM)
		closing(t, datagrams, nil)
		closing(t, other, nil)
		for fd, want := range map[int]error{in: unix.ENOTSOCK, datagrams: unix.EPROTOTYPE, -1: unix.EBADF} {
			c, err := l.Attach(fd, &epoll.Handler{})
			if c != nil || !errors.Is(err, want) {
				t.Errorf("Attach(%d) = %v, %v; want nil, %v", fd, c, err, want)
			}
		}
		if n := l.Len(); n != 0 {
			t.Errorf("Len = %d, want 0", n)
		}
	})
}

func TestAttachMakesNonBlocking(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		must(t, unix.SetNonblock(fd, false))
		c, err := l.Attach(fd, &epoll.Handler{Closed: func(*epoll.Conn, error) { l.Stop() }})
		must(t, err)
		if flags, err := unix.FcntlInt(uintptr(c.FD()), unix.F_GETFL, 0); flags&unix.O_NONBLOCK == 0 || err != nil {
			t.Errorf("flags %#x, %v; want O_NONBLOCK", flags, err)
		}
		must(t, peer.Close())
		runHere(t, l)
	})
}

func TestEventsString(t *testing.T) {
	for want, e := range map[string]epoll.Events{
		"0x0":                      0,
		"Readable":                 epoll.Readable,
		"Readable|Writable|Hangup": epoll.Hangup | epoll.Readable | epoll.Writable,
		"Urgent|ReadHangup|Failed": epoll.Urgent | epoll.ReadHangup | epoll.Failed,
		"EdgeTriggered|OneShot":    epoll.OneShot | epoll.EdgeTriggered,
		"Readable|Exclusive|0x400": epoll.Readable | epoll.Exclusive | 0x400,
	} {
		if got := fmt.Sprint(e); got != want {
			t.Errorf("Events(%#x) reads %q, want %q", uint32(e), got, want)
		}
	}
}

// Limits that are more together than an int can hold are as many as it can: the sum
// must not become a cap that nothing fits under.
func TestLimitsBeyondAnInt(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		c, err := l.Attach(fd, &epoll.Handler{Limits: &epoll.Limits{Frame: math.MaxInt, Turn: math.MaxInt}})
		must(t, err)
		if n, err := c.Write([]byte("hello")); n != 5 || err != nil {
			t.Errorf("Write = %d, %v; want 5, nil", n, err)
		}
	})
}

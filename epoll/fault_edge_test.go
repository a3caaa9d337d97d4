//go:build linux

package epoll

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// A Conn whose registration is gone, because somebody has removed or closed what is
// the Loop's, would never be told anything again: it ends with the error.
func TestConnWhoseRegistrationIsGone(t *testing.T) {
	for _, n := range []unix.Errno{unix.ENOENT, unix.EBADF} {
		for name, act := range map[string]func(c *Conn, f *fakeFile){
			"Pause":  func(c *Conn, _ *fakeFile) { c.Pause() },
			"Resume": func(c *Conn, _ *fakeFile) { c.Pause(); c.Loop().tidy(); c.Resume() },
			"Write":  func(c *Conn, f *fakeFile) { f.space = 0; _, _ = c.Write([]byte("x")) }, // there is room
		} {
			t.Run(name+" "+n.Error(), func(t *testing.T) {
				l, k := newFakeLoop(t, nil)
				var r, other record
				c, f := k.attach(l, r.handler(nil))
				_, g := k.attach(l, other.handler(nil))
				k.rest(l)
				k.script["modify"] = []unix.Errno{n}
				if name == "Resume" {
					k.script["modify"] = []unix.Errno{0, n}
				}
				act(c, f)
				k.rest(l)
				r.want(t, "Opened", "Closed")
				if !errors.Is(r.reason, n) || !f.closed || l.Len() != 1 {
					t.Errorf("Closed with %v, closed = %v, Len() = %d; want %v, true, 1", r.reason, f.closed, l.Len(), n)
				}
				g.send([]byte("x"))
				k.rest(l)
				other.want(t, "Opened", "Data")
			})
		}
	}
}

// A socket that says it is connected is: SO_ERROR tells how that went.
func TestDialOfWhatIsConnected(t *testing.T) {
	for name, ends := range map[string][]unix.Errno{"at once": {unix.EISCONN}, "when tried again": {unix.EAGAIN, unix.EISCONN}} {
		t.Run(name, func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			var r record
			_, f := k.dial(l, r.handler(nil), ends...)
			k.advance(l, minBackoff)
			r.want(t, "Opened")
			f.sendEOF()
			k.rest(l)
			r.want(t, "Opened", "Closed")
		})
	}
}

//go:build linux

package epoll

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A record is what the Handler of one Conn was told.
type record struct {
	calls  []string
	data   []byte
	reason error
	// then is run at the end of each call, with its name.
	then func(c *Conn, call string) error
}

func (r *record) note(c *Conn, call string) error {
	r.calls = append(r.calls, call)
	if r.then == nil {
		return nil
	}
	return r.then(c, call)
}

// handler returns one that notes all calls. Without an EOF function a Conn closes
// by itself when its peer does.
func (r *record) handler(m *Limits) *Handler {
	return &Handler{
		Opened: func(c *Conn) error { return r.note(c, "Opened") },
		Data: func(c *Conn, p []byte) error {
			r.data = append(r.data, p...)
			return r.note(c, "Data")
		},
		Drained: func(c *Conn) error { return r.note(c, "Drained") },
		Closed: func(c *Conn, reason error) {
			r.reason = reason
			_ = r.note(c, "Closed") // there is nothing left to close
		},
		Limits: m,
	}
}

// want fails tb unless the calls were these, leaving out calls of Data after the
// first.
func (r *record) want(tb testing.TB, calls ...string) {
	tb.Helper()
	got := slices.CompactFunc(slices.Clone(r.calls), func(a, b string) bool { return a == "Data" && b == "Data" })
	if !slices.Equal(got, calls) {
		tb.Errorf("calls %q, want %q", got, calls)
	}
}

// attach makes a Conn of a new fakeFile.
func (k *fakeKernel) attach(l *Loop, h *Handler) (*Conn, *fakeFile) {
	k.tb.Helper()
	f := newFakeFile()
	c, err := l.Attach(k.open(f), h)
	if err != nil {
		k.tb.Fatal(err)
	}
	return c, f
}

// echoes answers with what it gets.
func echoes(c *Conn, p []byte) error {
	_, err := c.Write(p)
	return err
}

// pattern returns n bytes of which no two neighbourhoods are the same.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8*31 ^ i>>16*7)
	}
	return p
}

func TestShortCallsKeepEveryByte(t *testing.T) {
	for name, most := range map[string]int{"one byte": 1, "all but one byte": 4095, "three bytes": 3} {
		t.Run(name, func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			c, f := k.attach(l, &Handler{Data: echoes})
			f.most = most
			sent := pattern(4096)
			f.send(sent)
			f.sendEOF()
			k.rest(l)
			if got := f.receive(len(sent) + 1); string(got) != string(sent) {
				t.Errorf("%d bytes came back; want the %d that were sent", len(got), len(sent))
			}
			if !f.closed || c.Unsent() != 0 {
				t.Errorf("closed = %v, Unsent() = %d; want true, 0", f.closed, c.Unsent())
			}
		})
	}
}

// A kernel may tell that a socket is readable, or writable, and mean it no longer.
func TestReadinessThatIsOver(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	k.rest(l)
	f.space = 0
	if _, err := c.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	k.rest(l)
	for range 3 {
		f.send([]byte("x"))
		k.script["read"] = []unix.Errno{unix.EAGAIN}
		k.script["write"] = []unix.Errno{unix.EAGAIN}
		f.space = 100
		k.rest(l)
	}
	if string(r.data) != "xxx" {
		t.Errorf("Data got %q, want %q", r.data, "xxx")
	}
	if got := f.receive(100); string(got) != "answer" {
		t.Errorf("the peer got %q, want %q", got, "answer")
	}
	r.want(t, "Opened", "Data")
}

// A peer that says something and then hangs up is heard to the end, though
// writing to it has failed already.
func TestFailedWriteDeliversWhatIsReadable(t *testing.T) {
	for _, n := range []unix.Errno{unix.EPIPE, unix.ECONNRESET} {
		t.Run(n.Error(), func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			var r record
			c, f := k.attach(l, r.handler(nil))
			k.rest(l)
			k.script["write"] = []unix.Errno{n}
			if _, err := c.Write([]byte("answer")); err != nil {
				t.Fatal(err)
			}
			f.send([]byte("last words"))
			f.hangUp(0)
			k.rest(l)
			if string(r.data) != "last words" {
				t.Errorf("Data got %q, want %q", r.data, "last words")
			}
			if !errors.Is(r.reason, n) {
				t.Errorf("Closed with %v, want %v", r.reason, n)
			}
			r.want(t, "Opened", "Data", "Closed")
		})
	}
}

func TestReadErrorCloses(t *testing.T) {
	for _, n := range []unix.Errno{unix.ECONNRESET, unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENOMEM} {
		t.Run(n.Error(), func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			var r, other record
			_, f := k.attach(l, r.handler(nil))
			_, quiet := k.attach(l, other.handler(nil))
			k.rest(l)
			f.send([]byte("last words"))
			f.hangUp(n)
			k.rest(l)
			r.want(t, "Opened", "Data", "Closed")
			if string(r.data) != "last words" || !errors.Is(r.reason, n) {
				t.Errorf("Data got %q, Closed %v; want %q, %v", r.data, r.reason, "last words", n)
			}
			other.want(t, "Opened")
			quiet.hangUp(0)
			k.rest(l)
			if other.reason != io.EOF {
				t.Errorf("the other one: Closed with %v, want io.EOF", other.reason)
			}
		})
	}
}

// Once a peer has reset the connection, nothing can be sent: what is pending goes,
// and does not wait for the bound of Close.
func TestResetWhileOutputIsPending(t *testing.T) {
	for _, closes := range []bool{false, true} {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.attach(l, r.handler(nil))
		k.rest(l)
		if _, err := c.Write(pattern(1 << 20)); err != nil {
			t.Fatal(err)
		}
		k.rest(l)
		if closes {
			_ = c.Close(nil) // it is open
			k.rest(l)
		}
		f.hangUp(unix.ECONNRESET)
		k.rest(l)
		r.want(t, "Opened", "Closed")
		if !errors.Is(r.reason, unix.ECONNRESET) || c.Unsent() != 0 {
			t.Errorf("Closed with %v, Unsent() = %d; want %v, 0", r.reason, c.Unsent(), unix.ECONNRESET)
		}
	}
}

// A peer that does not read costs no rounds, no memory beyond the cap, and gets
// everything in the end.
func TestStalledReader(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(&Limits{Cap: 10 << 20}))
	k.rest(l)
	sent := pattern(10 << 20)
	for p := range slices.Chunk(sent, 1<<20) {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
		k.rest(l)
	}
	if _, err := c.Write(sent); !errors.Is(err, ErrFull) {
		t.Errorf("Write(%d bytes) = %v, want ErrFull", len(sent), err)
	}
	if n := k.rest(l); n != 1 {
		t.Errorf("%d rounds with a peer that does not read, want 1", n)
	}
	f.send([]byte("unheard")) // above the high-water mark
	k.rest(l)
	_ = c.Close(nil) // it is open
	var got []byte
	for len(got) < len(sent) {
		p := f.receive(1 << 16)
		if len(p) == 0 {
			t.Fatalf("the peer gets no more after %d bytes of %d", len(got), len(sent))
		}
		got = append(got, p...)
		k.rest(l)
	}
	if !slices.Equal(got, sent) {
		t.Error("the peer got other bytes than were written")
	}
	f.sendEOF()
	k.rest(l)
	r.want(t, "Opened", "Closed")
	if r.reason != nil {
		t.Errorf("Closed with %v, want nil", r.reason)
	}
}

func TestCloseErrorIsTheReason(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	k.script["close"] = []unix.Errno{unix.EIO}
	f.sendEOF()
	_ = c.Close(nil) // it is open
	k.rest(l)
	if !errors.Is(r.reason, unix.EIO) || !f.closed {
		t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, unix.EIO)
	}
}

// A Conn whose peer never closed is closed at the bound, and takes nothing then.
func TestWriteAfterTheBoundOfClose(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	c, f := k.attach(l, r.handler(nil))
	_ = c.Close(nil) // it is open
	k.advance(l, 2*DefaultClose)
	r.want(t, "Closed")
	if !f.closed {
		t.Error("the descriptor is open")
	}
	if n, err := c.Write([]byte("late")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write = %d, %v; want 0, %v", n, err, os.ErrClosed)
	}
}

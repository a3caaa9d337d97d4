//go:build linux

package epoll

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A subject is a Conn, its peer, and what is known of both.
type subject struct {
	r    *rig
	c    *Conn
	id   int
	peer peer

	sent, got          int // bytes, by the peer and to Data
	accepted, received int // by Write and by the peer
	opened, eof        bool
	closed             int // calls of Closed
	reason             error
	why                error // given to Close or Abort
	closing, aborted   bool
	finishing, paused  bool
	detached           bool
	since              time.Time // of Close
	late               bool      // closed when the peer had its time
	peerShut, peerGone bool
	end                bool // that the peer has seen
}

// modelLimits make a few KiB much.
func modelLimits() *Limits {
	return &Limits{Turn: 2048, Frame: 512, HighWater: 4096, LowWater: 1024, Cap: 8192}
}

// fill returns bytes of a stream, which are no other's at any other place.
func fill(id, from, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		at := from + i
		p[i] = byte(at*7 + at>>8*13 + id*101)
	}
	return p
}

// attach makes a subject. Every other one has no EOF function.
func (r *rig) attach() {
	fd, p := r.conn()
	s := &subject{r: r, id: 2 * len(r.subjects), peer: p}
	h := &Handler{Opened: opensSubject, Data: dataOfSubject, Drained: drainedSubject, Closed: closedSubject, Limits: modelLimits()}
	if s.id%4 == 0 {
		h.EOF = endsSubject
	}
	c, err := r.l.Attach(fd, h)
	if err != nil {
		if !errors.Is(err, ErrStopped) || !r.l.over() {
			r.fault("Attach: %v", err)
		}
		r.detached(fd)
		r.release(fd)
		p.close()
		return
	}
	s.c, c.State = c, s
	r.subjects = append(r.subjects, s)
}

// called checks what holds at every callback but Closed.
func (s *subject) called(call string) {
	if !s.opened && call != "Opened" {
		s.r.fault("conn %d: %s before Opened", s.id, call)
	}
	if s.closing || s.closed > 0 || s.detached || s.r.ended {
		s.r.fault("conn %d: %s after Close, Abort, Detach or the end", s.id, call)
	}
}

func opensSubject(c *Conn) error {
	s := c.State.(*subject)
	s.called("Opened")
	if s.opened {
		s.r.fault("conn %d: Opened twice", s.id)
	}
	s.opened = true
	s.r.within()
	return nil
}

func dataOfSubject(c *Conn, p []byte) error {
	s := c.State.(*subject)
	s.called("Data")
	if s.eof || s.paused {
		s.r.fault("conn %d: Data after EOF (%v) or Pause (%v)", s.id, s.eof, s.paused)
	}
	if len(p) == 0 || string(p) != string(fill(s.id, s.got, len(p))) {
		s.r.fault("conn %d: Data got %d other bytes than were sent, at %d", s.id, len(p), s.got)
	}
	if s.got += len(p); s.got > s.sent {
		s.r.fault("conn %d: Data got %d bytes, %d were sent", s.id, s.got, s.sent)
	}
	s.r.within()
	clear(p) // which nobody is to see again
	return nil
}

func endsSubject(c *Conn) error {
	s := c.State.(*subject)
	s.called("EOF")
	if s.eof || !s.peerShut || s.got != s.sent {
		s.r.fault("conn %d: EOF: again %v, peer sent it %v, %d bytes of %d", s.id, s.eof, s.peerShut, s.got, s.sent)
	}
	s.eof = true
	s.r.within()
	return nil
}

func drainedSubject(c *Conn) error {
	s := c.State.(*subject)
	s.called("Drained")
	if n := c.Unsent(); n > c.h.lowWater() {
		s.r.fault("conn %d: Drained with %d bytes unsent", s.id, n)
	}
	s.r.within()
	return nil
}

func closedSubject(c *Conn, reason error) {
	s := c.State.(*subject)
	if s.closed++; s.closed > 1 || s.detached {
		s.r.fault("conn %d: Closed again, or after Detach", s.id)
	}
	s.reason, s.late = reason, s.closing && s.overdue()
	s.judge(reason)
	s.r.within()
}

// judge checks that the reason is this Conn's, and no other's.
func (s *subject) judge(reason error) {
	var n unix.Errno
	ok := false
	switch {
	case s.why != nil && errors.Is(reason, s.why):
		ok = true
	case reason == nil:
		ok = s.closing && s.why == nil && (s.aborted || s.peerShut || s.peerGone || s.overdue())
	case reason == io.EOF:
		ok = s.peerShut && s.got == s.sent || s.peerGone
	case errors.Is(reason, ErrStopped):
		ok = s.r.l.stop.Load()
	case errors.Is(reason, os.ErrDeadlineExceeded):
		ok = s.overdue()
	case errors.As(reason, &n):
		ok = s.peerGone && (n == unix.EPIPE || n == unix.ECONNRESET || n == unix.ENOTCONN)
	}
	if !ok {
		s.r.fault("conn %d: Closed with %v; closing %v, with %v, peer has shut down %v and gone %v",
			s.id, reason, s.closing, s.why, s.peerShut, s.peerGone)
	}
}

// write has n bytes sent, in one piece or in several.
func (s *subject) write(n, pieces int) {
	p := fill(s.id+1, s.accepted, n)
	var m int
	var err error
	if pieces > 1 {
		cut := n / pieces
		m, err = s.c.Writev(p[:cut], nil, p[cut:])
	} else {
		m, err = s.c.Write(p)
	}
	gone := s.closing || s.finishing || s.detached || s.closed > 0
	switch {
	case err == nil && m == n && !gone:
		s.accepted += n
	case m != 0:
		s.r.fault("conn %d: Write(%d bytes) = %d, %v", s.id, n, m, err)
	case errors.Is(err, ErrFull) && !gone:
		if n+s.c.Unsent() <= s.c.h.cap() {
			s.r.fault("conn %d: Write(%d bytes) = %v with %d unsent", s.id, n, err, s.c.Unsent())
		}
	case !gone && !s.peerGone && !s.peerShut, err == nil:
		s.r.fault("conn %d: Write(%d bytes) = %d, %v; closing %v, peer gone %v", s.id, n, m, err, gone, s.peerGone)
	}
}

// leave calls Close, or Abort.
func (s *subject) leave(abort bool, why error) {
	var err error
	again := s.closing
	if abort {
		err, again = s.c.Abort(why), s.aborted
	} else {
		err = s.c.Close(why)
	}
	if err != nil {
		if !errors.Is(err, os.ErrClosed) || !again && s.closed == 0 && !s.detached && !s.peerShut && !s.peerGone {
			s.r.fault("conn %d: Close or Abort = %v, before: %v", s.id, err, again)
		}
		return
	}
	if s.why == nil {
		s.why = why
	}
	if !s.closing {
		s.since = s.r.l.kernel.now()
	}
	s.closing, s.aborted = true, s.aborted || abort
}

// overdue reports whether the peer has had its time to close.
func (s *subject) overdue() bool { return s.r.l.kernel.now().Sub(s.since) >= linger }

// detach takes the descriptor back, and what is unsent.
func (s *subject) detach() {
	fd, unsent, err := s.c.Detach()
	if err != nil {
		if !s.peerGone && (!errors.Is(err, os.ErrClosed) || !s.closing && s.closed == 0 && !s.detached && !s.peerShut) {
			s.r.fault("conn %d: Detach = %v", s.id, err)
		}
		return
	}
	rest := bytes.Join(unsent, nil)
	if s.accepted -= len(rest); !bytes.Equal(rest, fill(s.id+1, s.accepted, len(rest))) && !s.peerGone {
		s.r.fault("conn %d: Detach returned other bytes than were written", s.id)
	}
	s.detached = true
	s.r.detached(fd)
	s.r.release(fd)
}

// hear has the peer read.
func (s *subject) hear(most int) int {
	if s.peerGone {
		return 0
	}
	p, end := s.peer.read(most)
	if string(p) != string(fill(s.id+1, s.received, len(p))) {
		s.r.fault("conn %d: the peer got other bytes than were written, at %d", s.id, s.received)
	}
	s.received += len(p)
	s.end = s.end || end
	if s.received > s.accepted {
		s.r.fault("conn %d: the peer got %d bytes, %d were written", s.id, s.received, s.accepted)
	}
	return len(p)
}

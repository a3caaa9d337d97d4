//go:build linux

package uds_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/plait-go/plait/uds"
)

// expected is what a call may come to: the error matches want, and the number of
// bytes is n.
type expected struct {
	n    int
	want error // nil for none
}

// A modelEnd is one end of a pair, as the documentation describes it.
type modelEnd struct {
	queue  [][]byte // what came and is not received; of a Stream without boundaries
	closed bool
	shut   bool // by CloseWrite
	reset  bool // a Stream whose peer closed with input unread, which nobody was told
	alone  bool // a Datagram that was told that its peer is gone
}

// A model is a pair as the documentation describes it.
type model struct {
	kind uds.Kind
	ends [2]modelEnd
}

// queued returns the number of bytes in the queue of an end.
func (e *modelEnd) queued() (n int) {
	for _, m := range e.queue {
		n += len(m)
	}
	return n
}

// send returns what a send of end i comes to, but for the room, and whether it gets
// as far as that.
func (m *model) send(i, size int) (out expected, delivers bool) {
	own, peer := &m.ends[i], &m.ends[1-i]
	switch {
	case m.kind == uds.Stream && size == 0:
		return expected{}, false
	case own.closed:
		return expected{0, net.ErrClosed}, false
	case own.shut:
		return expected{0, uds.ErrPeerClosed}, false
	case peer.closed:
		if m.kind == uds.Datagram && !own.alone {
			own.alone, own.queue = true, nil // the kernel drops it
		}
		return expected{0, uds.ErrPeerClosed}, false
	}
	return expected{size, nil}, true
}

// sent puts into the peer's queue what end i has sent.
func (m *model) sent(i int, p []byte) {
	peer := &m.ends[1-i]
	if m.kind != uds.Stream || len(p) > 0 {
		peer.queue = append(peer.queue, bytes.Clone(p))
	}
}

// receive returns what a receive of end i comes to, and the bytes. Peek leaves them.
func (m *model) receive(i, room int, peek bool) (out expected, got []byte) {
	own, peer := &m.ends[i], &m.ends[1-i]
	over := m.kind != uds.Datagram && (peer.closed || peer.shut)
	switch {
	case m.kind == uds.Stream && room == 0:
		return expected{}, nil
	case own.closed:
		return expected{0, net.ErrClosed}, nil
	case len(own.queue) == 0 && own.reset:
		own.reset = false
		return expected{0, uds.ErrPeerClosed}, nil
	case len(own.queue) == 0 && over:
		return expected{0, io.EOF}, nil
	case len(own.queue) == 0:
		return expected{0, uds.ErrEmpty}, nil
	case m.kind == uds.Stream:
		all := bytes.Join(own.queue, nil)
		got = all[:min(room, len(all))]
		own.queue = nil
		if rest := all[len(got):]; len(rest) > 0 {
			own.queue = [][]byte{rest}
		}
		return expected{len(got), nil}, got
	}
	message := own.queue[0]
	lost := over && m.kind == uds.SeqPacket && own.queued() == 0 // not to be told from the end
	if !peek {
		own.queue = own.queue[1:]
	}
	switch {
	case lost:
		return expected{0, io.EOF}, nil
	case peek:
		return expected{len(message), nil}, nil
	case len(message) > room:
		return expected{room, io.ErrShortBuffer}, message[:room]
	}
	return expected{len(message), nil}, message
}

// close closes end i.
func (m *model) close(i int) expected {
	own, peer := &m.ends[i], &m.ends[1-i]
	if own.closed {
		return expected{0, net.ErrClosed}
	}
	peer.reset = m.kind == uds.Stream && len(own.queue) > 0
	own.closed, own.queue = true, nil
	return expected{}
}

// shutdown shuts down what end i sends.
func (m *model) shutdown(i int) expected {
	own := &m.ends[i]
	if own.closed {
		return expected{0, net.ErrClosed}
	}
	own.shut = true
	return expected{}
}

// check tells whether a call came out as expected.
func (out expected) check(n int, err error) string {
	if n == out.n && errors.Is(err, out.want) && (err == nil) == (out.want == nil) {
		return ""
	}
	return fmt.Sprintf("%d, %v; want %d, %v", n, err, out.n, out.want)
}

// A system is a pair beside its model.
type system struct {
	model
	conns   [2]*uds.Conn
	ctx     context.Context //nolint:containedctx // it is that of the test
	counter byte
}

// payload returns bytes that no other message has.
func (s *system) payload(size int) []byte {
	s.counter++
	p := make([]byte, size)
	for i := range p {
		p[i] = s.counter + byte(i)
	}
	return p
}

// apply makes a call of the pair and of the model, and tells the difference.
func (s *system) apply(o op) string {
	c := s.conns[o.end]
	switch o.verb {
	case "Close":
		return s.close(o.end).check(0, c.Close())
	case "CloseWrite":
		return s.shutdown(o.end).check(0, c.CloseWrite())
	case "Detach":
		return s.detach(o.end)
	case "TrySize":
		if s.kind == uds.Stream {
			return ""
		}
		out, _ := s.receive(o.end, 0, true)
		n, err := c.TrySize()
		return out.check(n, err)
	case "ended":
		return s.applyEnded(o)
	case "TryReceive", "Receive", "Read":
		return s.applyReceive(o)
	}
	return s.applySend(o)
}

// detach changes the style and back.
func (s *system) detach(i int) string {
	own := &s.ends[i]
	socket, err := s.conns[i].Detach()
	if own.closed {
		return expected{0, net.ErrClosed}.check(0, err)
	}
	if err == nil {
		s.conns[i], err = socket.Attach()
	}
	return expected{}.check(0, err)
}

// applyEnded makes calls whose context has ended, and which therefore do nothing.
func (s *system) applyEnded(o op) string {
	c := s.conns[o.end]
	out := expected{0, errEnough}
	if s.kind == uds.Stream && o.size == 0 {
		out = expected{}
	}
	n, err := c.Receive(s.ctx, make([]byte, o.size))
	if text := out.check(n, err); text != "" {
		return text
	}
	n, err = c.Send(s.ctx, make([]byte, o.size))
	return out.check(n, err)
}

//go:build linux

package epoll

import (
	"fmt"
	"math"
	"time"
)

// A Handler says what becomes of connections of one kind: functions that their
// Loop calls, and limits. One Handler serves any number of Conns, of several Loops
// too, and must not be changed once it has one. A field that is nil asks for
// nothing.
//
// What belongs to one connection, a framing.Decoder say, goes into Conn.State. A
// function that returns an error closes its Conn with it, as [Conn.Close] does.
type Handler struct {
	// Opened is the first call for a Conn, once it is connected.
	Opened func(c *Conn) error

	// Data is called with bytes that have just been read, one packet for a
	// packet socket. They lie in a buffer that all Conns of the Loop share: p is
	// valid until Data returns, and what is needed later has to be copied. They
	// are not given again. A packet of more than DefaultTurn bytes does not fit,
	// and ends the Conn with EMSGSIZE.
	Data func(c *Conn, p []byte) error

	// EOF is called when the peer will send no more. Writing is possible still,
	// until CloseWrite or Close is called. Where EOF is nil, the Conn is closed
	// with io.EOF as the reason, behind what is written.
	EOF func(c *Conn) error

	// Drained is called when a Conn that was Full is no longer, and reading goes on:
	// perhaps as soon as the callback has returned that filled it. One that writes
	// until the Conn is Full again is called a few times in a row, and then it is
	// the turn of others.
	Drained func(c *Conn) error

	// Closed is the last call for a Conn. Reason is what was given to Close or
	// Abort, or returned by another function; io.EOF if the peer closed;
	// ErrIdle; ErrStopped if the Loop ended; or the error of a system call. The
	// descriptor is no longer open. It is the only call for a Conn of Dial that was
	// not connected, and one of Attach that was not opened in time.
	Closed func(c *Conn, reason error)

	// Limits are the limits; nil stands for the zero Limits.
	Limits *Limits
}

// Limits bound what a connection takes of memory and time. The zero Limits have a
// useful value for everything.
type Limits struct {
	// Turn is how many bytes are read from a Conn before it is the turn of the
	// others. DefaultTurn if 0.
	Turn int

	// Frame is the size in bytes of the longest frame, the Max of a
	// framing.Decoder: a handler can have all of one but its last byte in hand.
	// DefaultFrame if 0.
	Frame int

	// HighWater is above how many unsent bytes a Conn is Full, and reading stops,
	// until there are LowWater at most. DefaultHighWater if 0, and a quarter of
	// HighWater.
	HighWater, LowWater int

	// Cap is how many bytes may be unsent: a Write that would exceed it returns
	// ErrFull. It has to be the sum of HighWater, Turn and Frame at least, so
	// that one who answers with what it got never sees ErrFull, and is that sum
	// if 0. A packet counts for 64 bytes more than it has: its Frame is as much
	// longer.
	Cap int

	// Idle is how long a Conn may stand still, without a byte read or sent,
	// before it is closed with ErrIdle: that long at least, and an eighth more at
	// most. For ever if 0. All Conns of the Loop are looked at eight times, at
	// most, in the shortest of such bounds.
	Idle time.Duration

	// Close is how long it may take a Conn that is closed to hand what is unsent to
	// the kernel, and then as long again for its peer to receive it. DefaultClose
	// if 0.
	Close time.Duration

	// Dial is how long Dial tries to connect. DefaultDial if 0.
	Dial time.Duration
}

// What Limits that are 0 stand for.
const (
	DefaultTurn      = 256 << 10 // bytes
	DefaultFrame     = 2 << 20   // bytes
	DefaultHighWater = 256 << 10 // bytes
	DefaultClose     = 5 * time.Second
	DefaultDial      = 10 * time.Second
)

// check reports what is wrong with the limits of h.
func (h *Handler) check() error {
	m := h.Limits
	if m == nil {
		return nil
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"Turn", int64(m.Turn)},
		{"Frame", int64(m.Frame)},
		{"HighWater", int64(m.HighWater)},
		{"LowWater", int64(m.LowWater)},
		{"Cap", int64(m.Cap)},
		{"Idle", int64(m.Idle)},
		{"Close", int64(m.Close)},
		{"Dial", int64(m.Dial)},
	} {
		if n.value < 0 {
			return fmt.Errorf("epoll: Limits.%s is negative: %d", n.name, n.value)
		}
	}
	if h.lowWater() > h.highWater() {
		return fmt.Errorf("epoll: Limits.LowWater of %d bytes is above HighWater, %d", h.lowWater(), h.highWater())
	}
	if least := h.leastCap(); m.Cap != 0 && m.Cap < least {
		return fmt.Errorf("epoll: Limits.Cap of %d bytes is less than HighWater + Turn + Frame, %d", m.Cap, least)
	}
	return nil
}

// limits returns the Limits that hold.
func (h *Handler) limits() *Limits {
	if h.Limits != nil {
		return h.Limits
	}
	return new(Limits)
}

func (h *Handler) turn() int              { return or(h.limits().Turn, DefaultTurn) }
func (h *Handler) frame() int             { return or(h.limits().Frame, DefaultFrame) }
func (h *Handler) highWater() int         { return or(h.limits().HighWater, DefaultHighWater) }
func (h *Handler) lowWater() int          { return or(h.limits().LowWater, h.highWater()/4) }
func (h *Handler) idle() time.Duration    { return h.limits().Idle }
func (h *Handler) closing() time.Duration { return or(h.limits().Close, DefaultClose) }
func (h *Handler) dialing() time.Duration { return or(h.limits().Dial, DefaultDial) }

// cap returns how much may be unsent. Every Write asks.
func (h *Handler) cap() int {
	if h.Limits != nil && h.Limits.Cap != 0 {
		return h.Limits.Cap
	}
	return h.leastCap()
}

// leastCap returns what one who answers what was read may have unsent.
func (h *Handler) leastCap() int {
	sum := min(uint64(h.highWater())+uint64(h.turn()), math.MaxInt)
	return int(min(sum+uint64(h.frame()), math.MaxInt))
}

// or returns v, or otherwise if that is 0: cmp.Or without its slice, as every Write
// asks.
func or[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

//go:build linux

package inbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// ErrTooLong is returned for a message that is longer than allowed, and by TrySend
// for one that does not fit in one packet.
var ErrTooLong = errors.New("inbox: message too long")

// ErrNoInbox is returned for a slot that there is none of.
var ErrNoInbox = errors.New("inbox: no such slot")

// keep is the memory that an end keeps for the next message, in bytes.
const keep = 64 << 10

// A Sender sends messages to the inboxes of a pool.
type Sender struct {
	self Addr
	max  int
	ends []end
}

// An end is the write end of an inbox. Who has the turn may use the rest.
type end struct {
	conn    *uds.Conn
	turn    chan struct{} // has room for who sends
	w       *chunk.Writer
	message []byte // memory
	room    int    // for a message in one packet, 0 if unknown
}

// NewSender returns a Sender for a process: self says what it tells receivers of
// itself. Ends are the write ends of all inboxes, by slot; one that is nil cannot be
// sent to. The Sender does not close them. The longest message has limit bytes,
// DefaultMax if that is 0.
func NewSender(self Addr, ends []*uds.Conn, limit int) *Sender {
	s := &Sender{self: self, max: maxOf(limit), ends: make([]end, len(ends))}
	for i, conn := range ends {
		if conn != nil {
			s.ends[i] = end{conn: conn, turn: make(chan struct{}, 1), w: chunk.NewWriter(conn, options(s.max))}
		}
	}
	return s
}

// Send sends a message, and waits until there is room for it in the inbox, or until
// ctx ends: then it is not delivered. It does not retain p. The error is the cause
// of ctx, ErrTooLong, ErrNoInbox, or the socket's.
func (s *Sender) Send(ctx context.Context, to Addr, p []byte) error {
	e, err := s.end(to, p)
	if err != nil {
		return err
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return fmt.Errorf("inbox: to %v: %w", to, context.Cause(ctx))
	}
	if err := e.w.Send(ctx, e.pack(header{from: s.self, to: to.Incarnation}, p)); err != nil {
		return fmt.Errorf("inbox: to %v: %w", to, err)
	}
	return nil
}

// TrySend is Send that does not wait: uds.ErrFull says that there is no room, or that
// another goroutine waits for it. A message that does not fit in a packet, of some
// 200 KiB, is ErrTooLong.
func (s *Sender) TrySend(to Addr, p []byte) error {
	return s.trySend(to, header{from: s.self, to: to.Incarnation}, p)
}

// trySend is TrySend with a header.
func (s *Sender) trySend(to Addr, h header, p []byte) error {
	e, err := s.end(to, p)
	if err != nil {
		return err
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	default:
		return fmt.Errorf("inbox: to %v: %w", to, uds.ErrFull)
	}
	room, err := e.packetRoom()
	switch {
	case err != nil:
		return fmt.Errorf("inbox: to %v: %w", to, err)
	case len(p) > room:
		return fmt.Errorf("to %v: %d bytes, %d fit in a packet: %w", to, len(p), room, ErrTooLong)
	}
	if err := e.w.TrySend(e.pack(h, p)); err != nil {
		return fmt.Errorf("inbox: to %v: %w", to, err)
	}
	return nil
}

// end returns where a message goes.
func (s *Sender) end(to Addr, p []byte) (*end, error) {
	if int64(to.Slot) >= int64(len(s.ends)) || s.ends[to.Slot].conn == nil {
		return nil, fmt.Errorf("%w: %d of %d", ErrNoInbox, to.Slot, len(s.ends))
	}
	if len(p) > s.max {
		return nil, fmt.Errorf("to %v: %d bytes, limit %d: %w", to, len(p), s.max, ErrTooLong)
	}
	return &s.ends[to.Slot], nil
}

// pack returns the message with its header, which is valid as long as the turn.
func (e *end) pack(h header, p []byte) []byte {
	message := append(h.append(e.message[:0]), p...)
	if cap(message) <= keep {
		e.message = message
	}
	return message
}

// packetRoom returns how long a message may be to fit in one packet.
func (e *end) packetRoom() (int, error) {
	if e.room == 0 {
		most, err := e.conn.MaxMessage()
		if err != nil {
			return 0, err
		}
		e.room = min(most, packet) - chunk.HeaderSize - headerSize
	}
	return e.room, nil
}

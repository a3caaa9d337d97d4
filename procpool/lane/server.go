//go:build linux

package lane

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/uds"
)

// Batch is how many bytes are read at a time, and from how many on what is collected is
// sent before more is.
const Batch = 256 << 10

// flushTime is how much work may be collected before another request begins.
const flushTime = 100 * time.Microsecond

// A Server answers the requests of the lanes of one worker. Its fields must not
// change once it serves.
type Server struct {
	// Handler answers the requests.
	Handler Handler

	// Concurrency is how many requests, of all lanes together, have begun and are not
	// answered at a time; zero is 1. With 1 the answers of a lane are in the order of
	// its requests.
	Concurrency int

	// Max is the longest message in bytes; zero is DefaultMax.
	Max int

	// Busy, if not nil, is called when a lane begins with requests, and Served when it
	// has answered so many of them, which may be none.
	Busy   func()
	Served func(n int)

	once  sync.Once
	turns chan struct{} // as many as requests may have begun
}

// ErrTooLong says that a message has more than Max bytes.
var ErrTooLong = errors.New("lane: message too long")

// errEnd says that the other side has said that nothing follows.
var errEnd = errors.New("lane: end")

// Serve answers the requests that come over a lane until the other side has said that
// nothing follows, and returns nil when all answers are sent. It owns conn. Begun is
// where it counts the requests that have begun. It may be called for several lanes at
// a time, and starts up to Concurrency goroutines for each if that is more than 1,
// which end before it returns.
//
// An error is ErrCorrupt, one of uds, or io.EOF or io.ErrUnexpectedEOF if the other
// side is gone.
func (s *Server) Serve(conn *uds.Conn, begun *atomic.Int64) error {
	return s.serve(conn, begun, nil)
}

// ServeCalls is Serve for a lane that has calls as well. It reads on while a request
// is handled, which may wait for the return of a call: so it starts a goroutine for
// handlers even where Concurrency is 1. Calls of the Client end with it.
func (s *Server) ServeCalls(conn *uds.Conn, begun *atomic.Int64, calls *Client) error {
	err := s.serve(conn, begun, calls)
	calls.end(err)
	return err
}

func (s *Server) serve(conn *uds.Conn, begun *atomic.Int64, calls *Client) error {
	s.start()
	r, err := newReceiver(conn, s.Max, calls)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	if s.Concurrency > 1 || calls != nil {
		err = newCrew(s, conn, begun).run(r)
	} else {
		err = newLine(s, conn, begun).run(r)
	}
	if errors.Is(err, errEnd) {
		err = nil
	}
	if failed := conn.Close(); !errors.Is(failed, net.ErrClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

func (s *Server) start() {
	s.once.Do(func() { s.turns = make(chan struct{}, max(s.Concurrency, 1)) })
}

// For returns a Server for lanes of the same worker whose requests another Handler
// answers. Concurrency is the limit of both together.
func (s *Server) For(h Handler) *Server {
	s.start()
	other := &Server{Handler: h, Concurrency: s.Concurrency, Max: s.Max, Busy: s.Busy, Served: s.Served}
	other.once.Do(func() { other.turns = s.turns })
	return other
}

// busy and served call Busy and Served.
func (s *Server) busy() {
	if s.Busy != nil {
		s.Busy()
	}
}

func (s *Server) served(n int) {
	if s.Served != nil {
		s.Served(n)
	}
}

// max returns the longest message.
func (s *Server) max() int {
	if s.Max == 0 {
		return DefaultMax
	}
	return s.Max
}

// appendAnswer appends what answers request id.
func (s *Server) appendAnswer(dst []byte, id uint64, payload []byte, failure error) ([]byte, error) {
	var err error
	if failure == nil && len(payload) > s.max() {
		err = fmt.Errorf("%w: a reply of %d bytes, %d are the limit", ErrTooLong, len(payload), s.max())
		failure = err
	}
	if failure != nil {
		text := failure.Error()
		return Append(dst, Header{Kind: KindFailure, ID: id}, []byte(text[:min(len(text), Piece)])), err
	}
	return Append(dst, Header{Kind: KindReply, ID: id}, payload), nil
}

// A receiver reads what comes over a lane.
type receiver struct {
	conn    *uds.Conn
	records framing.Decoder
	parts   Assembler
	calls   *Client // nil if there are none

	raw  syscall.RawConn
	in   []byte
	n    int
	err  error
	once func(uintptr) bool // reads once, and reports whether there was something
}

func newReceiver(conn *uds.Conn, limit int, calls *Client) (*receiver, error) {
	r := &receiver{conn: conn, records: NewDecoder(), parts: Assembler{Max: limit}, calls: calls, in: make([]byte, Batch)}
	var err error
	r.raw, err = conn.SyscallConn()
	r.once = func(uintptr) bool {
		r.n, r.err = r.conn.TryReceive(r.in)
		return !errors.Is(r.err, uds.ErrEmpty)
	}
	return r, err
}

// read reads once, and waits for that. It is Read of the Conn, without what that does
// for contexts and for others who read.
func (r *receiver) read() ([]byte, error) {
	err := r.raw.Read(r.once)
	if err == nil {
		err = r.err
	}
	if err == io.EOF && (len(r.records.Buffered()) > 0 || r.parts.Open()) {
		err = io.ErrUnexpectedEOF
	}
	return r.in[:r.n], err
}

// request returns the request that a record makes whole, if it does.
func (r *receiver) request(record []byte) (h Header, payload []byte, whole bool, err error) {
	h, piece, err := Parse(record)
	if err != nil {
		return h, nil, false, err
	}
	switch {
	case h.Kind == KindEnd:
		return h, nil, false, errEnd
	case h.Kind == KindRequest, r.calls != nil && (h.Kind == KindReturn || h.Kind == KindRefusal):
	default:
		return h, nil, false, fmt.Errorf("%w: kind %d is not for this worker", ErrCorrupt, h.Kind)
	}
	payload, whole, err = r.parts.Add(h, piece)
	if whole && h.Kind != KindRequest {
		r.calls.returned(h, payload)
		whole = false
	}
	return h, payload, whole, err
}

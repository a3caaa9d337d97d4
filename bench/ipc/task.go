//go:build linux

package ipc

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
)

// Work is what two processes do.
type Work int

// The kinds of Work.
const (
	OneWay   Work = iota // one sends, the other receives
	PingPong             // what one sends, the other sends back
)

// Task says what two processes do, and in which way.
type Task struct {
	Work     Work
	Way      string // a name of those in ways
	Kind     string // of the socket: stream, datagram or seqpacket; "" for a System V queue
	Size     int    // of a message, in bytes, 8 at least
	Messages int
	Buffer   int  // size of the send buffers to ask for, in bytes; 0: the system's
	FDs      int  // descriptors with each message, in the ways that pass some
	OneCPU   bool // both processes have one processor, the same
	Out, In  int  // identifiers of System V queues, one for each direction; Compare makes them
}

// An end is one end of a way.
type end interface {
	// room returns the memory in which to make messages of size bytes.
	room(size int) []byte
	// send sends p, which is that memory, and waits until it is gone, or held back
	// for others to join.
	send(p []byte) error
	// flush sends what is held back.
	flush() error
	// receive waits for a message, which is valid until the next call.
	receive() ([]byte, error)
}

// An opener makes an end of a socket; f is nil for a System V queue. What waits ends
// with ctx where it can: that it could costs, too.
type opener func(ctx context.Context, t Task, f *os.File) (end, error)

// open opens an end in the way that t says.
func open(ctx context.Context, t Task, f *os.File) (end, error) {
	for _, group := range []map[string]opener{singles(), packs(), inboxes(), queues(), passings(), larges()} {
		if o, ok := group[t.Way]; ok {
			return o(ctx, t, f)
		}
	}
	return nil, fmt.Errorf("ipc: there is no way %q", t.Way)
}

// page is how far apart the numbers in a message are, in bytes.
const page = 4096

// number writes i into p, which has 8 bytes at least.
func number(p []byte, i int) {
	for at := 0; at+8 <= len(p); at += page {
		binary.LittleEndian.PutUint64(p[at:], uint64(i))
	}
	binary.LittleEndian.PutUint64(p[len(p)-8:], uint64(i))
}

// verify returns an error if p is not message i of the given size.
func verify(p []byte, size, i int) error {
	if len(p) != size {
		return fmt.Errorf("ipc: message %d has %d bytes; want %d", i, len(p), size)
	}
	for at := 0; at+8 <= len(p); at += page {
		if n := binary.LittleEndian.Uint64(p[at:]); n != uint64(i) {
			return fmt.Errorf("ipc: message %d has number %d at byte %d", i, n, at)
		}
	}
	if n := binary.LittleEndian.Uint64(p[len(p)-8:]); n != uint64(i) {
		return fmt.Errorf("ipc: message %d ends with number %d", i, n)
	}
	return nil
}

//go:build linux

package uds_test

import (
	"errors"
	"testing"

	"github.com/plait-go/plait/uds"
)

// end is what a Conn and a Socket have in common.
type end interface { //nolint:interfacebloat // it is for tests
	Kind() uds.Kind
	TrySend(p []byte) (n int, err error)
	TrySendv(bufs ...[]byte) (n int, err error)
	TryReceive(p []byte) (n int, err error)
	TrySize() (int, error)
	MaxMessage() (int, error)
	SetBuffers(send, receive int) (uds.Buffers, error)
	Close() error
}

// ends returns a pair in each style, by style, which are closed at the end of the
// test.
func ends(tb testing.TB, kind uds.Kind) map[string][2]end {
	tb.Helper()
	a, b := pair(tb, kind)
	x, y := sockets(tb, kind)
	return map[string][2]end{"Conn": {a, b}, "Socket": {x, y}}
}

// sockets is pair for the other style.
func sockets(tb testing.TB, kind uds.Kind) (a, b *uds.Socket) {
	tb.Helper()
	a, b, err := uds.SocketPair(kind)
	must(tb, err)
	tb.Cleanup(func() { _, _ = a.Close(), b.Close() }) // the test may have
	return a, b
}

// packets are the kinds that keep boundaries.
func packets() []uds.Kind { return []uds.Kind{uds.Datagram, uds.SeqPacket} }

// stuff sends p again and again until there is no room, and returns the number of
// bytes, and of messages.
func stuff(tb testing.TB, c end, p []byte) (bytes, messages int) {
	tb.Helper()
	for {
		n, err := c.TrySend(p)
		bytes += n
		if errors.Is(err, uds.ErrFull) {
			return bytes, messages
		}
		must(tb, err)
		messages++
	}
}

// drain receives until nothing is there, and returns the number of bytes.
func drain(tb testing.TB, c end) (bytes int) {
	tb.Helper()
	for p := make([]byte, 256<<10); ; {
		n, err := c.TryReceive(p)
		bytes += n
		if errors.Is(err, uds.ErrEmpty) {
			return bytes
		}
		must(tb, err)
	}
}

// receives fails tb unless the next message, or bytes of a stream, are want.
func receives(tb testing.TB, c end, want string) {
	tb.Helper()
	p := make([]byte, len(want)+1)
	if n, err := c.TryReceive(p); string(p[:n]) != want || err != nil {
		tb.Errorf("%s: TryReceive = %q, %v; want %q", c.Kind(), p[:n], err, want)
	}
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// What somebody waits to send goes first as soon as there is room at all, although the
// kernel does not wake who waits yet, and then TrySend has its turn.
func TestTrySendHelpsWhoWaits(t *testing.T) {
	for _, kind := range []uds.Kind{uds.Datagram, uds.SeqPacket} {
		leaktest.Check(t)
		a, b := pair(t, kind)
		stuff(t, a, make([]byte, 1000))
		ctx, cancel := context.WithCancel(patient(t))
		first := waiting(t, func() error { return second(a.Send(ctx, []byte("first"))) })
		if n, err := a.TrySend([]byte("second")); n != 0 || err != uds.ErrFull {
			t.Errorf("%s: TrySend beside a Send that waits = %d, %v; want ErrFull", kind, n, err)
		}
		buf := make([]byte, 2000)
		for err := uds.ErrFull; err != nil; _, err = a.TrySend([]byte("second")) {
			if err != uds.ErrFull {
				t.Fatalf("%s: TrySend = %v; want ErrFull", kind, err)
			}
			must(t, second(b.TryReceive(buf)))
		}
		cancel() // too late
		if err := result(t, first); err != nil {
			t.Errorf("%s: Send = %v; want <nil>, as it has gone", kind, err)
		}
		var got []string
		for {
			n, err := b.TryReceive(buf)
			if err != nil {
				break
			}
			if n < 1000 {
				got = append(got, string(buf[:n]))
			}
		}
		if len(got) != 2 || got[0] != "first" || got[1] != "second" {
			t.Errorf("%s: received %q; want first, second", kind, got)
		}
	}
}

// Those who wait for others that wait take no room from TrySend.
func TestTrySendBesideMany(t *testing.T) {
	leaktest.Check(t)
	for range 50 {
		a, b := pair(t, uds.SeqPacket)
		stuff(t, a, make([]byte, 60000))
		var calls []<-chan error
		for range 4 {
			calls = append(calls, waiting(t, func() error { return second(a.Send(patient(t), []byte("w"))) }))
		}
		buf := make([]byte, 60000)
		for n := len(buf); n == len(buf); {
			var err error
			if n, err = b.TryReceive(buf); err == uds.ErrEmpty {
				break
			}
		}
		if n, err := a.TrySend([]byte("x")); n != 1 || err != nil {
			t.Fatalf("TrySend to an empty queue = %d, %v; want 1", n, err)
		}
		for _, call := range calls {
			must(t, result(t, call))
		}
	}
}

// A TrySend beside a Send that waits is refused for the reason that it has, and the
// Send is told what the kernel does not tell it.
func TestTrySendTellsWhy(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.SeqPacket)
	stuff(t, a, make([]byte, 1000))
	call := waiting(t, func() error { return second(a.Send(patient(t), []byte("w"))) })
	must(t, b.CloseRead())
	if n, err := a.TrySend([]byte("x")); n != 0 || !errors.Is(err, uds.ErrPeerClosed) {
		t.Errorf("TrySend after the peer's CloseRead = %d, %v; want ErrPeerClosed", n, err)
	}
	if err := result(t, call); !errors.Is(err, uds.ErrPeerClosed) {
		t.Errorf("Send = %v; want ErrPeerClosed", err)
	}

	for range 100 {
		c, d := pair(t, uds.SeqPacket)
		stuff(t, c, make([]byte, 60000))
		call := waiting(t, func() error { return second(c.Send(patient(t), []byte("w"))) })
		must(t, c.SetWriteDeadline(time.Unix(1, 0)))
		if n, err := c.TrySend([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("TrySend after the deadline = %d, %v; want ErrDeadlineExceeded", n, err)
		}
		if err := result(t, call); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Send = %v; want ErrDeadlineExceeded", err)
		}
		must(t, errors.Join(c.Close(), d.Close()))
	}
}

// A Datagram whose peer's queue is full can send to others.
func TestSendToOthersWhileOneWaits(t *testing.T) {
	leaktest.Check(t)
	peer := abstract(t)
	b, err := uds.ListenDatagram(peer, nil)
	must(t, err)
	defer func() { must(t, b.Close()) }()
	a := dial(t, uds.Datagram, peer)
	stuff(t, a, []byte("x")) // the peer's queue, and not the send buffer
	ctx, cancel := context.WithCancel(patient(t))
	call := waiting(t, func() error { return second(a.Send(ctx, []byte("w"))) })
	name := abstract(t)
	other, err := uds.ListenDatagram(name, nil)
	must(t, err)
	defer func() { must(t, other.Close()) }()
	if n, err := a.TrySendTo([]byte("y"), name); n != 1 || err != nil {
		t.Errorf("TrySendTo = %d, %v; want 1", n, err)
	}
	receives(t, other, "y")
	cancel()
	if err := result(t, call); !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v; want Canceled", err)
	}
}

//go:build linux

package uds_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// netPair is pair, for those who know net.Conn only.
func netPair(tb testing.TB, kind uds.Kind) (a, b net.Conn) {
	tb.Helper()
	a, b = pair(tb, kind)
	must(tb, a.SetDeadline(time.Now().Add(patience)))
	must(tb, b.SetDeadline(time.Now().Add(patience)))
	return a, b
}

// Package io's functions work, both ways at once.
func TestNetConnCopy(t *testing.T) {
	for _, kind := range []uds.Kind{uds.Stream, uds.SeqPacket} {
		leaktest.Check(t)
		a, b := netPair(t, kind)
		want := noise(1 << 20)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := io.Copy(b, b); err != nil {
				t.Errorf("%s: echo: %v", kind, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			// A Reader that is no WriterTo, so that messages have 32 KiB.
			if n, err := io.Copy(a, struct{ io.Reader }{bytes.NewReader(want)}); n != int64(len(want)) || err != nil {
				t.Errorf("%s: Copy = %d, %v; want %d", kind, n, err, len(want))
			}
			if err := a.(*uds.Conn).CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		var got bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, a, make([]byte, 64<<10)); err != nil {
			t.Errorf("%s: Copy: %v", kind, err)
		}
		wg.Wait()
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d other bytes came back than the %d sent", kind, got.Len(), len(want))
		}
	}
}

// A deadline may be moved at any time, while others read and write.
func TestNetConnDeadlines(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, _ := netPair(t, kind)
		var wg sync.WaitGroup
		var moved atomic.Bool
		for _, call := range []func([]byte) (int, error){a.Read, a.Write} {
			wg.Go(func() {
				for p := make([]byte, 1024); ; runtime.Gosched() {
					_, err := call(p)
					switch {
					case err == nil:
					case !errors.Is(err, os.ErrDeadlineExceeded):
						t.Errorf("%s: %v", kind, err)
						return
					case moved.Load():
						return
					}
				}
			})
		}
		tick := time.NewTicker(300 * time.Microsecond)
		for i := range 100 {
			must(t, a.SetDeadline(time.Now().Add(time.Duration(i%5-1)*500*time.Microsecond)))
			<-tick.C
		}
		tick.Stop()
		moved.Store(true)
		must(t, a.SetDeadline(time.Now()))
		wg.Wait()
	}
}

// Every method may be called beside every other one.
func TestNetConnConcurrently(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := netPair(t, kind)
		var wg sync.WaitGroup
		for _, c := range []net.Conn{a, b} {
			for range 20 {
				for _, call := range []func() error{
					func() error { return second(c.Read(make([]byte, 1024))) },
					func() error { return second(c.Write(make([]byte, 1024))) },
					func() error { return c.SetDeadline(time.Now().Add(10 * time.Millisecond)) },
					func() error { return c.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) },
					func() error { return c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)) },
					func() error { _, _ = c.LocalAddr(), c.RemoteAddr(); return nil },
				} {
					wg.Go(func() {
						if err := call(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("%s: %v", kind, err)
						}
					})
				}
			}
		}
		wg.Wait()
	}
}

// Names of a pair are empty addresses of package net.
func TestNetConnAddresses(t *testing.T) {
	for kind, network := range map[uds.Kind]string{uds.Stream: "unix", uds.Datagram: "unixgram", uds.SeqPacket: "unixpacket"} {
		leaktest.Check(t)
		a, _ := netPair(t, kind)
		for _, addr := range []net.Addr{a.LocalAddr(), a.RemoteAddr()} {
			if addr.Network() != network || addr.String() != "" {
				t.Errorf("%s: address %q of network %q, want none of %q", kind, addr, addr.Network(), network)
			}
		}
	}
}

// An error says what was done, and where.
func TestErrorTexts(t *testing.T) {
	leaktest.Check(t)
	name := abstract(t)
	server := named(t, name)
	client := dial(t, uds.Datagram, name)
	must(t, server.Close())
	a, b := pair(t, uds.SeqPacket)
	s, r := sockets(t, uds.SeqPacket)
	must(t, errors.Join(b.Close(), r.Close()))
	for _, test := range []struct {
		err  error
		want string
	}{
		{second(client.TrySend(nil)), "send unixgram ->" + name + ": uds: the peer has closed: sendmsg: connection refused"},
		{second(a.TrySend(nil)), "send unixpacket ->: uds: the peer has closed: sendmsg: broken pipe"},
		{second(s.TrySend(nil)), "uds: send: uds: the peer has closed: sendmsg: broken pipe"},
		{&uds.TruncatedError{Size: 100, Buffer: 10}, "uds: message of 100 bytes cut to a buffer of 10"},
		{second(a.Receive(endedContext(t), nil)), "receive unixpacket ->: enough"},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("error %q, want %q", test.err, test.want)
		}
	}
	x, _ := pair(t, uds.Datagram)
	must(t, second(x.SetBuffers(10_000, 0)))
	want := "send unixgram ->: message of 30000 bytes, the send buffer allows 19968: sendmsg: message too long"
	if err := second(x.TrySend(make([]byte, 30_000))); err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

//go:build linux

package uds_test

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Close ends every call that waits, and every one that comes.
func TestCloseOverWaiting(t *testing.T) {
	eachWait(t, func(tb testing.TB, w wait) {
		tb.Helper()
		call := waiting(tb, func() error { return w.call(patient(tb)) })
		must(tb, w.c.Close())
		if err := result(tb, call); !errors.Is(err, net.ErrClosed) {
			tb.Errorf("%s over Close: %v, want net.ErrClosed", w.name, err)
		}
		if err := w.call(patient(tb)); !errors.Is(err, net.ErrClosed) {
			tb.Errorf("%s after Close: %v, want net.ErrClosed", w.name, err)
		}
	})
}

// After Close everything is net.ErrClosed, and names are what they were.
func TestClosed(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		c, _ := pair(t, kind)
		must(t, c.Close())
		p := make([]byte, 1)
		for what, err := range map[string]error{
			"Close":         c.Close(),
			"CloseRead":     c.CloseRead(),
			"CloseWrite":    c.CloseWrite(),
			"Detach":        second(c.Detach()),
			"File":          second(c.File()),
			"Duplicate":     second(uds.Duplicate(c)),
			"Send":          second(c.Send(t.Context(), p)),
			"Sendv":         second(c.Sendv(t.Context(), p, p)),
			"Write":         second(c.Write(p)),
			"TrySend":       second(c.TrySend(p)),
			"TrySendv":      second(c.TrySendv(p)),
			"SendFDs":       second(c.SendFDs(t.Context(), p, 0)),
			"TrySendFDs":    second(c.TrySendFDs(p, 0)),
			"Receive":       second(c.Receive(t.Context(), p)),
			"Read":          second(c.Read(p)),
			"TryReceive":    second(c.TryReceive(p)),
			"MaxMessage":    second(c.MaxMessage()),
			"Buffers":       second(c.Buffers()),
			"SetBuffers":    second(c.SetBuffers(1, 1)),
			"PeerCred":      second(c.PeerCred()),
			"PeerPIDFD":     second(c.PeerPIDFD()),
			"PassCred":      c.PassCred(),
			"past deadline": c.SetDeadline(time.Unix(1, 0)),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %s after Close: %v, want net.ErrClosed", kind, what, err)
			}
		}
		if c.LocalAddr().String() != "" || c.RemoteAddr().String() != "" || c.Kind() != kind {
			t.Errorf("%s: after Close it is %q of kind %s to %q", kind, c.LocalAddr(), c.Kind(), c.RemoteAddr())
		}
	}
}

// A Socket knows the end, too.
func TestClosedSocket(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		s, _ := sockets(t, kind)
		must(t, s.Close())
		p := make([]byte, 1)
		tries := map[string]error{
			"Close":        s.Close(),
			"Attach":       second(s.Attach()),
			"TrySend":      second(s.TrySend(p)),
			"TrySendv":     second(s.TrySendv(p)),
			"TrySendFDs":   second(s.TrySendFDs(p, 0)),
			"TryReceive":   second(s.TryReceive(p)),
			"TryReceive 2": second(s.TryReceive(p)),
		}
		if kind != uds.Stream {
			tries["TrySize"] = second(s.TrySize())
		}
		_, _, tries["TryReceiveFDs"] = s.TryReceiveFDs(p, nil)
		for what, err := range tries {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %s after Close: %v, want net.ErrClosed", kind, what, err)
			}
		}
		if s.FD() != -1 || s.Release() != -1 {
			t.Errorf("%s: FD, Release after Close = %d, %d; want -1", kind, s.FD(), s.Release())
		}
	}
}

// Close at any moment of a busy connection ends all that goes on, one Close of many
// succeeds, and nothing but the end is reported.
func TestCloseOverBusy(t *testing.T) {
	for _, kind := range kinds() {
		for round := range 30 {
			leaktest.Check(t)
			a, b := pair(t, kind)
			var wg sync.WaitGroup
			for _, c := range []*uds.Conn{a, b} {
				for _, call := range []func(p []byte) (int, error){
					func(p []byte) (int, error) { return c.Send(t.Context(), p) },
					func(p []byte) (int, error) { return c.Receive(t.Context(), p) },
					c.TrySend, c.TryReceive, c.Read,
				} {
					wg.Go(func() { untilClosed(t, c, call) })
				}
			}
			for range round {
				must(t, second(a.Send(t.Context(), make([]byte, 100))))
			}
			closed := make(chan error, 2)
			for range cap(closed) {
				wg.Go(func() { closed <- a.Close() })
			}
			first, other := result(t, closed), result(t, closed)
			if (first == nil) == (other == nil) || !errors.Is(errors.Join(first, other), net.ErrClosed) {
				t.Errorf("%s: two Closes at once: %v, %v; want nil and net.ErrClosed", kind, first, other)
			}
			must(t, b.Close())
			wg.Wait()
		}
	}
}

// untilClosed makes a call again and again, until c is closed.
func untilClosed(tb testing.TB, c *uds.Conn, call func(p []byte) (int, error)) {
	tb.Helper()
	p := make([]byte, 100)
	for {
		_, err := call(p)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil, err == io.EOF:
		case errors.Is(err, uds.ErrFull), errors.Is(err, uds.ErrEmpty), errors.Is(err, uds.ErrPeerClosed):
		default:
			tb.Errorf("%s: %v, want an end", c.Kind(), err)
			return
		}
		runtime.Gosched()
	}
}

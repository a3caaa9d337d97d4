//go:build linux

package uds_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// listening are the kinds that have Listeners.
func listening() []uds.Kind { return []uds.Kind{uds.Stream, uds.SeqPacket} }

// listener returns a Listener with an abstract name, which is closed at the end.
func listener(tb testing.TB, kind uds.Kind) (l *uds.Listener, name string) {
	tb.Helper()
	name = abstract(tb)
	l, err := uds.Listen(kind, name, nil)
	must(tb, err)
	tb.Cleanup(func() { _ = l.Close() }) // the test may have
	return l, name
}

// dial returns a connection, which is closed at the end.
func dial(tb testing.TB, kind uds.Kind, name string) *uds.Conn {
	tb.Helper()
	c, err := uds.Dial(patient(tb), kind, name)
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() }) // the test may have
	return c
}

func TestListenWrongKind(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/socket"
	for kind, want := range map[uds.Kind]error{
		uds.Datagram:  unix.EOPNOTSUPP,
		0:             unix.EPROTOTYPE,
		unix.SOCK_RAW: unix.EPROTOTYPE,
		-1:            unix.EPROTOTYPE,
	} {
		if _, err := uds.Listen(kind, path, nil); !errors.Is(err, want) {
			t.Errorf("Listen(%v) = %v, want %v", kind, err, want)
		}
		if kind == uds.Datagram {
			continue
		}
		if _, err := uds.Dial(patient(t), kind, path); !errors.Is(err, want) {
			t.Errorf("Dial(%v) = %v, want %v", kind, err, want)
		}
		if _, _, err := uds.Pair(kind); !errors.Is(err, want) {
			t.Errorf("Pair(%v) = %v, want %v", kind, err, want)
		}
	}
	if got := modeOf(path); got != fs.ModeIrregular {
		t.Errorf("mode = %v, want no file", got)
	}
}

// Whichever way a connection is accepted, it is one.
func TestAccept(t *testing.T) {
	for _, kind := range listening() {
		for how, accept := range map[string]func(l *uds.Listener) (net.Conn, error){
			"AcceptConn": func(l *uds.Listener) (net.Conn, error) { return l.AcceptConn(patient(t)) },
			"TryAccept":  func(l *uds.Listener) (net.Conn, error) { return l.TryAccept() },
			"Accept":     func(l *uds.Listener) (net.Conn, error) { return l.Accept() },
		} {
			t.Run(how+" "+kind.String(), func(t *testing.T) {
				leaktest.Check(t)
				l, name := listener(t, kind)
				if l.Addr().String() != name || l.Addr().Network() != map[uds.Kind]string{uds.Stream: "unix", uds.SeqPacket: "unixpacket"}[kind] {
					t.Errorf("Addr = %s %s", l.Addr().Network(), l.Addr())
				}
				client := dial(t, kind, name)
				got, err := accept(l)
				must(t, err)
				server := got.(*uds.Conn)
				if server.Kind() != kind || server.LocalAddr().String() != name || server.RemoteAddr().String() != "" || client.LocalAddr().String() != "" {
					t.Errorf("accepted: %v at %q from %q; client at %q", server.Kind(), server.LocalAddr(), server.RemoteAddr(), client.LocalAddr())
				}
				if _, err := server.Send(patient(t), []byte("hello")); err != nil {
					t.Error(err)
				}
				p := make([]byte, 10)
				if n, err := client.Receive(patient(t), p); string(p[:n]) != "hello" || err != nil {
					t.Errorf("Receive = %q, %v", p[:n], err)
				}
				if _, err := l.TryAccept(); !errors.Is(err, uds.ErrEmpty) {
					t.Errorf("TryAccept with nothing to accept: %v, want ErrEmpty", err)
				}
				must(t, server.Close())
			})
		}
	}
}

func TestAcceptContext(t *testing.T) {
	cause := errors.New("enough")
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			l, name := listener(t, kind)
			ctx, cancel := context.WithCancelCause(t.Context())
			first := waiting(t, func() error { _, err := l.AcceptConn(ctx); return err })
			second := waiting(t, func() error {
				c, err := l.AcceptConn(patient(t))
				if err == nil {
					err = c.Close()
				}
				return err
			})
			cancel(cause)
			if err := result(t, first); !errors.Is(err, cause) {
				t.Errorf("AcceptConn after cancel: %v, want the cause", err)
			}
			select {
			case err := <-second:
				t.Errorf("AcceptConn with another context: %v, want it to wait", err)
			default:
			}
			if _, err := l.AcceptConn(ctx); !errors.Is(err, cause) {
				t.Errorf("AcceptConn with an ended context: %v, want the cause", err)
			}
			dial(t, kind, name)
			if err := result(t, second); err != nil {
				t.Errorf("AcceptConn with another context: %v", err)
			}
			// What came meanwhile is not lost.
			dial(t, kind, name)
			if _, err := l.AcceptConn(ctx); !errors.Is(err, cause) {
				t.Errorf("AcceptConn with an ended context and a connection: %v, want the cause", err)
			}
			c, err := l.TryAccept()
			must(t, err)
			must(t, c.Close())
		})
	}
}

func TestAcceptDeadline(t *testing.T) {
	leaktest.Check(t)
	l, name := listener(t, uds.SeqPacket)
	wait := waiting(t, func() error { _, err := l.Accept(); return err })
	must(t, l.SetDeadline(time.Now().Add(20*time.Millisecond)))
	if err := result(t, wait); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Accept at the deadline: %v, want os.ErrDeadlineExceeded", err)
	}
	dial(t, uds.SeqPacket, name)
	_, err := l.Accept()
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("Accept after the deadline: %v, want a timeout", err)
	}
	if _, err := l.TryAccept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("TryAccept after the deadline: %v, want os.ErrDeadlineExceeded", err)
	}
	must(t, l.SetDeadline(time.Time{}))
	c, err := l.Accept()
	must(t, err)
	must(t, c.Close())
}

// Close ends all calls, and every later one says so.
func TestListenerClose(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			l, name := listener(t, kind)
			queued := dial(t, kind, name)
			c, err := l.AcceptConn(patient(t))
			must(t, err)
			var calls []<-chan error
			for range 3 {
				calls = append(calls, waiting(t, func() error { _, err := l.AcceptConn(patient(t)); return err }))
			}
			must(t, l.Close())
			for _, call := range calls {
				if err := result(t, call); !errors.Is(err, net.ErrClosed) {
					t.Errorf("AcceptConn over Close: %v, want net.ErrClosed", err)
				}
			}
			for what, err := range map[string]error{
				"Close":       l.Close(),
				"SetDeadline": l.SetDeadline(time.Now()),
				"AcceptConn":  second(l.AcceptConn(patient(t))),
				"TryAccept":   second(l.TryAccept()),
				"Accept":      second(l.Accept()),
				"Detach":      second(l.Detach()),
			} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s after Close: %v, want net.ErrClosed", what, err)
				}
			}
			if _, err := uds.Dial(patient(t), kind, name); !errors.Is(err, unix.ECONNREFUSED) {
				t.Errorf("Dial after Close: %v, want ECONNREFUSED", err)
			}
			// What was accepted lives on.
			if _, err := c.Send(patient(t), []byte("x")); err != nil {
				t.Error(err)
			}
			if n, err := queued.Receive(patient(t), make([]byte, 1)); n != 1 || err != nil {
				t.Errorf("Receive = %d, %v", n, err)
			}
			must(t, c.Close())
		})
	}
}

func second[T any](_ T, err error) error { return err }

// Many who accept share what comes.
func TestAcceptByMany(t *testing.T) {
	leaktest.Check(t)
	l, name := listener(t, uds.Stream)
	const clients, servers = 200, 5
	var wg sync.WaitGroup
	accepted := make(chan *uds.Conn, clients)
	for range servers {
		wg.Go(func() {
			for {
				c, err := l.AcceptConn(patient(t))
				if err != nil {
					if !errors.Is(err, net.ErrClosed) {
						t.Error(err)
					}
					return
				}
				accepted <- c
			}
		})
	}
	for range clients {
		dial(t, uds.Stream, name)
	}
	for range clients {
		must(t, (<-accepted).Close())
	}
	must(t, l.Close())
	wg.Wait()
}

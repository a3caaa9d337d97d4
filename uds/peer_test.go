//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// What is in the queue is delivered behind the peer's end. Then each kind has its
// own way to tell, and another one where the peer had not read everything.
func TestPeerClosed(t *testing.T) {
	for _, kind := range kinds() {
		for _, unread := range []bool{false, true} {
			leaktest.Check(t)
			for style, p := range ends(t, kind) {
				what := fmt.Sprintf("%s %s, unread %v", kind, style, unread)
				must(t, second(p[0].TrySend([]byte("answer"))))
				if unread {
					must(t, second(p[1].TrySend([]byte("question"))))
				}
				must(t, p[0].Close())
				receives(t, p[1], "answer")
				if kind == uds.Stream && unread {
					n, err := p[1].TryReceive(make([]byte, 10))
					if n != 0 || !errors.Is(err, uds.ErrPeerClosed) || !errors.Is(err, unix.ECONNRESET) {
						t.Errorf("%s: TryReceive = %d, %v; want ErrPeerClosed and ECONNRESET", what, n, err)
					}
				}
				want := io.EOF
				if kind == uds.Datagram {
					want = uds.ErrEmpty
				}
				for range 3 {
					if n, err := p[1].TryReceive(make([]byte, 10)); n != 0 || err != want {
						t.Errorf("%s: TryReceive = %d, %v; want %v", what, n, err, want)
					}
				}
			}
		}
	}
}

// A send tells of the end at once, and raises no SIGPIPE. On a connection it harms
// nothing that is queued, and of a Datagram it drops the queue.
func TestSendToClosedPeer(t *testing.T) {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, unix.SIGPIPE, unix.SIGWINCH)
	defer signal.Stop(signals)
	for _, kind := range kinds() {
		for _, unread := range []bool{false, true} {
			leaktest.Check(t)
			for style, p := range ends(t, kind) {
				what := fmt.Sprintf("%s %s, unread %v", kind, style, unread)
				must(t, second(p[0].TrySend([]byte("answer"))))
				if unread {
					must(t, second(p[1].TrySend([]byte("question"))))
				}
				must(t, p[0].Close())
				n, err := p[1].TrySend([]byte("more"))
				if n != 0 || !errors.Is(err, uds.ErrPeerClosed) || errors.Is(err, unix.ECONNREFUSED) != (kind == uds.Datagram) {
					t.Errorf("%s: TrySend = %d, %v; want ErrPeerClosed, ECONNREFUSED of a datagram", what, n, err)
				}
				n, err = p[1].TrySendv([]byte("mo"), []byte("re"))
				if n != 0 || !errors.Is(err, uds.ErrPeerClosed) {
					t.Errorf("%s: TrySendv = %d, %v; want ErrPeerClosed", what, n, err)
				}
				if kind != uds.Datagram {
					receives(t, p[1], "answer")
				} else if n, err := p[1].TryReceive(make([]byte, 10)); n != 0 || err != uds.ErrEmpty {
					t.Errorf("%s: TryReceive = %d, %v; want ErrEmpty", what, n, err)
				}
			}
		}
	}
	// Of two signals the one with the smaller number is told first.
	must(t, unix.Kill(os.Getpid(), unix.SIGWINCH))
	select {
	case got := <-signals:
		if got != unix.SIGWINCH {
			t.Errorf("signal %v, want none", got)
		}
	case <-time.After(patience):
		t.Error("no SIGWINCH")
	}
}

// The peer's end ends the calls that wait, but for the receive of a Datagram.
func TestPeerClosesOverWaiting(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		stuff(t, a, make([]byte, 1024))
		send := waiting(t, func() error { return second(a.Send(patient(t), make([]byte, 1024))) })
		receive := waiting(t, func() error { return second(a.Receive(patient(t), make([]byte, 1024))) })
		must(t, b.Close())
		if err := result(t, send); !errors.Is(err, uds.ErrPeerClosed) {
			t.Errorf("%s: Send: %v, want ErrPeerClosed", kind, err)
		}
		if kind == uds.Datagram {
			must(t, a.Close())
		}
		err := result(t, receive)
		switch kind {
		case uds.Stream:
			if !errors.Is(err, uds.ErrPeerClosed) && err != io.EOF {
				t.Errorf("%s: Receive: %v, want ErrPeerClosed or io.EOF", kind, err)
			}
		case uds.SeqPacket:
			if err != io.EOF {
				t.Errorf("%s: Receive: %v, want io.EOF", kind, err)
			}
		}
	}
}

// After CloseWrite the peer receives what there is and then the end, and can answer.
func TestCloseWrite(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		must(t, second(a.TrySend([]byte("question"))))
		must(t, a.CloseWrite())
		if n, err := a.TrySend([]byte("more")); n != 0 || !errors.Is(err, uds.ErrPeerClosed) || !errors.Is(err, unix.EPIPE) {
			t.Errorf("%s: TrySend after CloseWrite = %d, %v; want EPIPE", kind, n, err)
		}
		receives(t, b, "question")
		want := io.EOF
		if kind == uds.Datagram {
			want = uds.ErrEmpty
		}
		if n, err := b.TryReceive(make([]byte, 1)); n != 0 || err != want {
			t.Errorf("%s: TryReceive after the peer's CloseWrite = %d, %v; want %v", kind, n, err, want)
		}
		must(t, second(b.TrySend([]byte("answer"))))
		receives(t, a, "answer")
		must(t, a.CloseWrite())
		must(t, a.Close())
		if err := a.CloseWrite(); err == nil {
			t.Errorf("%s: CloseWrite after Close: no error", kind)
		}
	}
}

// CloseWrite ends a Send that waits, with a context that can end and without, and the
// peer's Receive.
func TestCloseWriteOverWaiting(t *testing.T) {
	for _, kind := range kinds() {
		for what, send := range map[string]func(a *uds.Conn) error{
			"Send":  func(a *uds.Conn) error { return second(a.Send(patient(t), make([]byte, 1024))) },
			"Write": func(a *uds.Conn) error { return second(a.Write(make([]byte, 1024))) },
		} {
			leaktest.Check(t)
			a, b := pair(t, kind)
			stuff(t, a, make([]byte, 1024))
			call := waiting(t, func() error { return send(a) })
			answer := waiting(t, func() error { return second(a.Receive(patient(t), make([]byte, 1))) })
			must(t, a.CloseWrite())
			if err := result(t, call); !errors.Is(err, uds.ErrPeerClosed) {
				t.Errorf("%s: %s over CloseWrite: %v, want ErrPeerClosed", kind, what, err)
			}
			must(t, second(b.TrySend([]byte("x"))))
			if err := result(t, answer); err != nil {
				t.Errorf("%s: Receive over CloseWrite: %v", kind, err)
			}
		}
		if kind == uds.Datagram {
			continue
		}
		a, b := pair(t, kind)
		call := waiting(t, func() error { return second(b.Receive(patient(t), make([]byte, 1))) })
		must(t, a.CloseWrite())
		if err := result(t, call); err != io.EOF {
			t.Errorf("%s: Receive over the peer's CloseWrite: %v, want io.EOF", kind, err)
		}
	}
}

// After CloseRead the peer can send no more, and what it had sent is delivered.
func TestCloseRead(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		must(t, second(b.TrySend([]byte("before"))))
		must(t, a.CloseRead())
		if n, err := b.TrySend([]byte("after")); n != 0 || !errors.Is(err, uds.ErrPeerClosed) {
			t.Errorf("%s: TrySend after the peer's CloseRead = %d, %v; want ErrPeerClosed", kind, n, err)
		}
		receives(t, a, "before")
		want := io.EOF
		if kind == uds.Datagram {
			want = uds.ErrEmpty
		}
		if n, err := a.TryReceive(make([]byte, 1)); n != 0 || err != want {
			t.Errorf("%s: TryReceive after CloseRead = %d, %v; want %v", kind, n, err, want)
		}
		must(t, second(a.TrySend([]byte("answer"))))
		receives(t, b, "answer")
		if kind == uds.Datagram {
			continue
		}
		x, _ := pair(t, kind)
		call := waiting(t, func() error { return second(x.Receive(patient(t), make([]byte, 1))) })
		must(t, x.CloseRead())
		if err := result(t, call); err != io.EOF {
			t.Errorf("%s: Receive over CloseRead: %v, want io.EOF", kind, err)
		}
	}
}

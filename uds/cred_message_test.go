//go:build linux

package uds_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Credentials of a message are those of its sender at the time.
func TestReceiveCred(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			ctx := patient(t)
			a, b := pair(t, kind)
			must(t, second(a.Send(ctx, []byte("early"))))
			p := make([]byte, 100)
			must(t, b.PassCred())
			n, from, err := b.ReceiveCred(ctx, p)
			if want := (uds.Cred{UID: nobody, GID: nobody}); string(p[:n]) != "early" || from != want || err != nil {
				t.Errorf("ReceiveCred of what was sent before = %q, %+v, %v; want early, %+v", p[:n], from, err, want)
			}
			must(t, second(a.Send(ctx, []byte("parent"))))
			end, err := a.File()
			must(t, err)
			c := startChild(t, "send", []string{"child"}, end)
			must(t, end.Close())
			c.expect(t, "sent")
			child := self()
			child.PID = c.pid()
			c.end(t) // credentials stay when the process is gone
			for _, want := range []struct {
				message string
				from    uds.Cred
			}{{"parent", self()}, {"child", child}} {
				n, from, err := b.ReceiveCred(ctx, p)
				if string(p[:n]) != want.message || from != want.from || err != nil {
					t.Errorf("ReceiveCred = %q, %+v, %v; want %q, %+v", p[:n], from, err, want.message, want.from)
				}
			}
			must(t, a.Close())
			if kind != uds.Datagram {
				if n, from, err := b.ReceiveCred(ctx, p); n != 0 || from != (uds.Cred{}) || err != io.EOF {
					t.Errorf("ReceiveCred at the end = %d, %+v, %v; want io.EOF", n, from, err)
				}
			}
		})
	}
}

// sendChild is a child that sends on what it inherited.
func sendChild(args []string) error {
	c, err := uds.FromFile(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	if len(args) > 1 {
		if err := becomeNobody(); err != nil {
			return err
		}
	}
	ctx, cancel := within()
	defer cancel()
	_, err = c.Send(ctx, []byte(args[0]))
	return errors.Join(err, c.Close(), say("sent"))
}

// A process that gives up its rights sends as who it is then.
func TestReceiveCredOfAnotherUser(t *testing.T) {
	root(t)
	leaktest.Check(t)
	a, b := pair(t, uds.Datagram)
	must(t, b.PassCred())
	end, err := a.File()
	must(t, err)
	c := startChild(t, "send", []string{"x", "as nobody"}, end)
	must(t, end.Close())
	c.expect(t, "sent")
	want := uds.Cred{PID: c.pid(), UID: nobody, GID: nobody}
	if _, from, err := b.ReceiveCred(patient(t), make([]byte, 1)); from != want || err != nil {
		t.Errorf("ReceiveCred = %+v, %v; want %+v", from, err, want)
	}
}

func TestReceiveCredErrors(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			ctx := patient(t)
			a, b := pair(t, kind)
			must(t, second(a.Send(ctx, []byte("hello"))))
			p := make([]byte, 100)
			n, from, err := b.ReceiveCred(ctx, p)
			if string(p[:n]) != "hello" || from != (uds.Cred{}) || !errors.Is(err, unix.ENODATA) {
				t.Errorf("ReceiveCred without PassCred = %q, %+v, %v; want hello, ENODATA", p[:n], from, err)
			}
			var told *net.OpError
			if !errors.As(err, &told) || told.Op != "receive" {
				t.Errorf("%v is not of the Conn", err)
			}
			// The room for credentials is one for descriptors, too.
			files := open(t, 2)
			before := len(leaktest.FDs(t))
			must(t, second(a.SendFDs(ctx, []byte("hello"), files...)))
			if n, _, err := b.ReceiveCred(ctx, p); n != 5 || !errors.Is(err, unix.ENODATA) {
				t.Errorf("ReceiveCred of descriptors without PassCred = %d, %v; want 5, ENODATA", n, err)
			}
			if now := len(leaktest.FDs(t)); now != before {
				t.Errorf("%d descriptors open after ReceiveCred, %d before", now, before)
			}
			must(t, b.PassCred())
			ended, cancel := context.WithCancel(ctx)
			call := waiting(t, func() error {
				n, from, err := b.ReceiveCred(ended, p)
				if n != 0 || from != (uds.Cred{}) {
					t.Errorf("ReceiveCred = %d, %+v, %v; want nothing", n, from, err)
				}
				return err
			})
			cancel()
			if err := result(t, call); !errors.Is(err, context.Canceled) {
				t.Errorf("ReceiveCred after cancel: %v, want context.Canceled", err)
			}
			if kind != uds.Stream {
				must(t, second(a.Send(ctx, []byte("hello"))))
				n, from, err := b.ReceiveCred(ctx, p[:2])
				if string(p[:n]) != "he" || from != (uds.Cred{}) || !errors.Is(err, io.ErrShortBuffer) {
					t.Errorf("ReceiveCred of a long message = %q, %+v, %v; want he, io.ErrShortBuffer", p[:n], from, err)
				}
			}
			must(t, b.Close())
			if err := b.PassCred(); err == nil {
				t.Error("PassCred after Close: no error")
			}
		})
	}
}

// Descriptors and credentials come with the same message, and get in nobody's way.
func TestCredWithFDs(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			ctx := patient(t)
			a, b := pair(t, kind)
			must(t, b.PassCred())
			files := open(t, uds.MaxFDs)
			before := len(leaktest.FDs(t))
			p := make([]byte, 10)
			must(t, second(a.SendFDs(ctx, []byte("hello"), files...)))
			if n, from, err := b.ReceiveCred(ctx, p); string(p[:n]) != "hello" || from != self() || err != nil {
				t.Errorf("ReceiveCred = %q, %+v, %v; want hello, %+v", p[:n], from, err, self())
			}
			if now := len(leaktest.FDs(t)); now != before {
				t.Errorf("%d descriptors open after ReceiveCred, %d before", now, before)
			}
			for _, count := range []int{0, 1, 2, 3, uds.MaxFDs} {
				must(t, second(a.SendFDs(ctx, []byte("hello"), files[:count]...)))
				fds := make([]int, count)
				n, nfds, err := b.ReceiveFDs(ctx, p, fds)
				if string(p[:n]) != "hello" || nfds != count || err != nil {
					t.Fatalf("ReceiveFDs(%d) = %q, %d, %v; want hello, %[1]d", count, p[:n], nfds, err)
				}
				closeFDs(t, fds)
				must(t, second(a.SendFDs(ctx, []byte("hello"), files[:max(count, 1)]...)))
				n, nfds, err = b.ReceiveFDs(ctx, p, make([]int, max(count, 1)-1))
				if string(p[:n]) != "hello" || nfds != 0 || !errors.Is(err, uds.ErrControl) {
					t.Errorf("ReceiveFDs of one too many = %q, %d, %v; want hello, 0, ErrControl", p[:n], nfds, err)
				}
			}
			if now := len(leaktest.FDs(t)); now != before {
				t.Errorf("%d descriptors open, %d before", now, before)
			}
		})
	}
}

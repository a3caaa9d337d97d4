//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// named returns a Datagram with a name, which is closed at the end.
func named(tb testing.TB, name string) *uds.Conn {
	tb.Helper()
	c, err := uds.ListenDatagram(name, nil)
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() }) // the test may have
	return c
}

// A server answers whoever has a name.
func TestSendTo(t *testing.T) {
	for what, name := range map[string]func(t *testing.T) string{
		"paths":          func(t *testing.T) string { t.Helper(); return place(t) + "/socket" },
		"abstract names": func(t *testing.T) string { t.Helper(); return abstract(t) },
	} {
		t.Run(what, func(t *testing.T) {
			leaktest.Check(t)
			ctx := patient(t)
			at := name(t)
			server := named(t, at)
			for i := range 3 {
				client := named(t, name(t))
				if _, err := client.SendTo(ctx, []byte(strconv.Itoa(i)), at); err != nil {
					t.Fatal(err)
				}
				p := make([]byte, 10)
				n, from, err := server.ReceiveFrom(ctx, p)
				if from != client.LocalAddr().String() || err != nil {
					t.Fatalf("ReceiveFrom = %d, %q, %v; want it from %s", n, from, err, client.LocalAddr())
				}
				if n, err := server.SendTo(ctx, p[:n], from); n != 1 || err != nil {
					t.Fatalf("SendTo(%s) = %d, %v", from, n, err)
				}
				n, from, err = client.ReceiveFrom(ctx, p)
				if string(p[:n]) != strconv.Itoa(i) || from != at || err != nil {
					t.Errorf("ReceiveFrom = %q, %q, %v; want %d of %q", p[:n], from, err, i, at)
				}
			}
		})
	}
}

// One that dialed has no name, and receives nothing.
func TestDatagramDial(t *testing.T) {
	leaktest.Check(t)
	ctx := patient(t)
	name := abstract(t)
	server := named(t, name)
	client := dial(t, uds.Datagram, name)
	if client.LocalAddr().String() != "" || client.RemoteAddr().String() != name {
		t.Errorf("client: %q to %q, want it without a name, to %q", client.LocalAddr(), client.RemoteAddr(), name)
	}
	for _, message := range []string{"first", "", "third"} {
		if n, err := client.Send(ctx, []byte(message)); n != len(message) || err != nil {
			t.Errorf("Send(%q) = %d, %v", message, n, err)
		}
		p := make([]byte, 10)
		if n, from, err := server.ReceiveFrom(ctx, p); string(p[:n]) != message || from != "" || err != nil {
			t.Errorf("ReceiveFrom = %q, %q, %v; want %q of nobody", p[:n], from, err, message)
		}
	}
	// It can overrule its peer.
	other := named(t, abstract(t))
	if _, err := client.SendTo(ctx, []byte("x"), other.LocalAddr().String()); err != nil {
		t.Error(err)
	}
	if n, err := other.Receive(ctx, make([]byte, 10)); n != 1 || err != nil {
		t.Errorf("Receive of what was sent to another = %d, %v; want 1", n, err)
	}
	must(t, server.Close())
	if _, err := client.Send(ctx, []byte("x")); !errors.Is(err, uds.ErrPeerClosed) {
		t.Errorf("Send after the server's Close: %v, want ErrPeerClosed", err)
	}
}

func TestSendToErrors(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	leave(t, uds.Datagram, dir+"/stale")
	named(t, dir+"/live")
	l, err := uds.Listen(uds.Stream, dir+"/stream", nil)
	must(t, err)
	closeBoth := connectedDatagram(t, dir+"/taken")
	c := named(t, abstract(t))
	for to, want := range map[string]error{
		dir + "/none":   unix.ENOENT,
		dir + "/stale":  uds.ErrPeerClosed,
		dir + "/stream": unix.EPROTOTYPE,
		dir + "/taken":  unix.EPERM,
		abstract(t):     uds.ErrPeerClosed,
	} {
		n, err := c.SendTo(patient(t), []byte("x"), to)
		if n != 0 || !errors.Is(err, want) || !strings.Contains(err.Error(), to) {
			t.Errorf("SendTo(%s) = %d, %v; want %v with the name", to, n, err, want)
		}
	}
	if n, err := c.SendTo(patient(t), make([]byte, 1<<20), dir+"/live"); n != 0 || !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("SendTo(1 MiB) = %d, %v; want EMSGSIZE", n, err)
	}
	for _, kind := range []uds.Kind{uds.Stream, uds.SeqPacket} {
		a, b := pair(t, kind)
		if n, err := a.SendTo(patient(t), []byte("x"), dir+"/live"); n != 0 || !errors.Is(err, unix.EISCONN) {
			t.Errorf("%s: SendTo = %d, %v; want EISCONN", kind, n, err)
		}
		if _, err := b.TryReceive(make([]byte, 1)); !errors.Is(err, uds.ErrEmpty) {
			t.Errorf("%s: TryReceive: %v, want ErrEmpty", kind, err)
		}
	}
	closeBoth(t)
	must(t, l.Close())
	must(t, c.Close())
	if _, err := c.SendTo(patient(t), []byte("x"), dir+"/live"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("SendTo after Close: %v, want net.ErrClosed", err)
	}
}

// A receive that ended without a message names no sender.
func TestReceiveFromNobody(t *testing.T) {
	leaktest.Check(t)
	c := named(t, abstract(t))
	ctx, cancel := context.WithCancel(t.Context())
	from := make(chan string, 1)
	call := waiting(t, func() error {
		_, name, err := c.ReceiveFrom(ctx, make([]byte, 1))
		from <- name
		return err
	})
	cancel()
	if err := result(t, call); !errors.Is(err, context.Canceled) {
		t.Errorf("ReceiveFrom after cancel: %v, want context.Canceled", err)
	}
	if name := <-from; name != "" {
		t.Errorf("ReceiveFrom after cancel names %q, want nobody", name)
	}
}

// The kinds with a connection name its other end.
func TestReceiveFromPeer(t *testing.T) {
	for _, kind := range listening() {
		leaktest.Check(t)
		l, name := listener(t, kind)
		client := dial(t, kind, name)
		server, err := l.AcceptConn(patient(t))
		must(t, err)
		must(t, second(server.Send(patient(t), []byte("x"))))
		must(t, second(client.Send(patient(t), []byte("x"))))
		p := make([]byte, 10)
		if n, from, err := client.ReceiveFrom(patient(t), p); n != 1 || from != name || err != nil {
			t.Errorf("%s: ReceiveFrom = %d, %q, %v; want 1 of %q", kind, n, from, err, name)
		}
		if n, from, err := server.ReceiveFrom(patient(t), p); n != 1 || from != "" || err != nil {
			t.Errorf("%s: ReceiveFrom = %d, %q, %v; want 1 of nobody", kind, n, from, err)
		}
		must(t, server.Close())
	}
}

// Messages of many senders arrive whole, once, and in the order of each.
func TestManySenders(t *testing.T) {
	leaktest.Check(t)
	name := abstract(t)
	server := named(t, name)
	const senders, messages = 6, 300
	var wg sync.WaitGroup
	for i := range senders {
		c := named(t, fmt.Sprintf("%s-%d", name, i))
		wg.Go(func() {
			for j := range messages {
				if _, err := c.SendTo(patient(t), []byte(strconv.Itoa(j)), name); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := make(map[string]int)
	p := make([]byte, 10)
	for range senders * messages {
		n, from, err := server.ReceiveFrom(patient(t), p)
		must(t, err)
		if got := string(p[:n]); got != strconv.Itoa(next[from]) {
			t.Fatalf("message %q of %q, want %d", got, from, next[from])
		}
		next[from]++
	}
	wg.Wait()
}

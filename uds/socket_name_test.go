//go:build linux

package uds_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// A Datagram on an event loop answers whoever has a name, and learns who it is.
func TestTryByName(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	client, err := uds.ListenDatagram(filepath.Join(dir, "client"), nil)
	must(t, err)
	defer func() { must(t, client.Close()) }()
	name := filepath.Join(dir, "server")
	listener, err := uds.ListenDatagram(name, nil)
	must(t, err)
	server, err := listener.Detach()
	must(t, err)
	defer func() { must(t, server.Close()) }()
	must(t, server.PassCred())

	buf := make([]byte, 10)
	if _, _, err := server.TryReceiveFrom(buf); err != uds.ErrEmpty {
		t.Errorf("TryReceiveFrom of nothing: %v, want ErrEmpty", err)
	}
	for range 2 {
		if n, err := client.TrySendTo([]byte("ask"), name); n != 3 || err != nil {
			t.Fatalf("TrySendTo = %d, %v; want 3", n, err)
		}
	}
	n, from, err := server.TryReceiveFrom(buf)
	if string(buf[:n]) != "ask" || from != filepath.Join(dir, "client") || err != nil {
		t.Errorf("TryReceiveFrom = %q, %q, %v", buf[:n], from, err)
	}
	n, cred, err := server.TryReceiveCred(buf)
	if string(buf[:n]) != "ask" || cred.PID != os.Getpid() || cred.UID != os.Geteuid() || err != nil {
		t.Errorf("TryReceiveCred = %q, %+v, %v", buf[:n], cred, err)
	}
	if n, err := server.TrySendTo([]byte("answer"), from); n != 6 || err != nil {
		t.Errorf("TrySendTo = %d, %v; want 6", n, err)
	}
	n, from, err = client.TryReceiveFrom(buf)
	if string(buf[:n]) != "answer" || from != name || err != nil {
		t.Errorf("TryReceiveFrom = %q, %q, %v", buf[:n], from, err)
	}
	if _, _, err := client.TryReceiveCred(buf); err != uds.ErrEmpty {
		t.Errorf("TryReceiveCred of nothing: %v, want ErrEmpty", err)
	}
	for err := error(nil); err != uds.ErrFull; {
		if _, err = client.TrySendTo(buf, name); err != nil && err != uds.ErrFull {
			t.Fatalf("TrySendTo = %v; want ErrFull", err)
		}
	}
	a, b := sockets(t, uds.SeqPacket)
	if _, err := a.TrySendTo(buf, name); !errors.Is(err, unix.EISCONN) {
		t.Errorf("TrySendTo on a pair: %v, want EISCONN", err)
	}
	must(t, b.Close())
	if err := b.PassCred(); err == nil {
		t.Error("PassCred after Close: no error")
	}
}

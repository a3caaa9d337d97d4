//go:build linux

package uds_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Sent is the open file: its offset and its flags are shared.
func TestFDsShare(t *testing.T) {
	leaktest.Check(t)
	f, err := os.Create(place(t) + "/file")
	must(t, err)
	must(t, second(f.WriteString("hello, world")))
	must(t, second(f.Seek(0, io.SeekStart)))
	a, b := pair(t, uds.SeqPacket)
	must(t, second(a.SendFiles(patient(t), []byte("x"), f)))
	var fds [1]int
	_, nfds, err := b.ReceiveFDs(patient(t), make([]byte, 1), fds[:])
	if nfds != 1 || err != nil {
		t.Fatalf("ReceiveFDs = %d, %v; want 1", nfds, err)
	}
	p := make([]byte, 5)
	if n, err := unix.Read(fds[0], p); string(p[:n]) != "hello" || err != nil {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	if offset, err := f.Seek(0, io.SeekCurrent); offset != 5 || err != nil {
		t.Errorf("the sender's offset = %d, %v; want 5", offset, err)
	}
	must(t, unix.SetNonblock(fds[0], true))
	raw, err := f.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		if _, nonblock := flags(t, int(fd)); !nonblock {
			t.Error("the receiver's O_NONBLOCK is not the sender's")
		}
	}))
	must(t, f.Close())
	if n, err := unix.Read(fds[0], p); n != 5 || err != nil {
		t.Errorf("Read after the sender's Close = %d, %v; want 5", n, err)
	}
	closeFDs(t, fds[:])
}

// SendFiles leaves files non-blocking: deadlines and Close work on.
func TestSendFiles(t *testing.T) {
	leaktest.Check(t)
	r, w, err := os.Pipe()
	must(t, err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	conn, other := pair(t, uds.Stream)
	a, b := pair(t, uds.Datagram)
	files := []syscall.Conn{r, w, tcp.(*net.TCPListener), conn, other}
	if n, err := a.SendFiles(patient(t), []byte("hello"), files...); n != 5 || err != nil {
		t.Fatalf("SendFiles(%d files) = %d, %v; want 5", len(files), n, err)
	}
	var fds [10]int
	_, nfds, err := b.ReceiveFDs(patient(t), make([]byte, 5), fds[:])
	if nfds != len(files) || err != nil {
		t.Fatalf("ReceiveFDs = %d, %v; want %d", nfds, err, len(files))
	}
	for i, f := range files {
		raw, err := f.SyscallConn()
		must(t, err)
		must(t, raw.Control(func(fd uintptr) {
			if got, want := identity(t, fds[i]), identity(t, int(fd)); got != want {
				t.Errorf("descriptor %d is file %s, want %s", i, got, want)
			}
			if _, nonblock := flags(t, int(fd)); !nonblock {
				t.Errorf("file %d has become blocking", i)
			}
		}))
	}
	past := time.Now().Add(10 * time.Millisecond)
	must(t, errors.Join(r.SetReadDeadline(past), tcp.(*net.TCPListener).SetDeadline(past), conn.SetDeadline(past)))
	for what, err := range map[string]error{
		"pipe": second(r.Read(make([]byte, 1))), "listener": second(tcp.Accept()), "conn": second(conn.Read(make([]byte, 1))),
	} {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s at the deadline: %v, want os.ErrDeadlineExceeded", what, err)
		}
	}
	closeFDs(t, fds[:nfds])
	must(t, errors.Join(r.Close(), w.Close(), tcp.Close()))
}

func TestSendFilesErrors(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.SeqPacket)
	f, err := os.Open(os.DevNull)
	must(t, err)
	closed, err := os.Open(os.DevNull)
	must(t, err)
	must(t, closed.Close())
	closedConn, other := pair(t, uds.Stream)
	must(t, errors.Join(closedConn.Close(), other.Close()))
	many := make([]syscall.Conn, uds.MaxFDs+1)
	for i := range many {
		many[i] = f
	}
	for _, test := range []struct {
		what  string
		files []syscall.Conn
		want  error
	}{
		{"a closed file", []syscall.Conn{f, closed}, net.ErrClosed},
		{"a closed Conn", []syscall.Conn{f, closedConn, f}, net.ErrClosed},
		{"nil", []syscall.Conn{(*os.File)(nil)}, os.ErrInvalid},
		{"254 files", many, unix.EINVAL},
	} {
		if n, err := a.SendFiles(patient(t), []byte("x"), test.files...); n != 0 || !errors.Is(err, test.want) {
			t.Errorf("SendFiles(%s) = %d, %v; want %v", test.what, n, err, test.want)
		}
	}
	if n, err := b.TryReceive(make([]byte, 1)); !errors.Is(err, uds.ErrEmpty) {
		t.Errorf("TryReceive = %d, %v; want ErrEmpty", n, err)
	}
	if n, err := a.SendFiles(patient(t), []byte("x")); n != 1 || err != nil {
		t.Errorf("SendFiles without files = %d, %v; want 1", n, err)
	}
	must(t, f.Close())
}

// A child opens a listener and hands it over; it outlives the child.
func TestListenerFromChild(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.SeqPacket)
	end, err := b.File()
	must(t, err)
	name := abstract(t)
	c := startChild(t, "hand over", []string{name}, end)
	must(t, end.Close())
	var fds [1]int
	n, nfds, err := a.ReceiveFDs(patient(t), make([]byte, 100), fds[:])
	if nfds != 1 || err != nil {
		t.Fatalf("ReceiveFDs = %d, %d, %v; want a descriptor", n, nfds, err)
	}
	c.end(t)
	f := os.NewFile(uintptr(fds[0]), "listener")
	l, err := uds.FileListener(f)
	must(t, err)
	must(t, f.Close())
	if got := l.Addr().String(); got != name {
		t.Errorf("Addr = %q, want %q", got, name)
	}
	serves(t, l, uds.Stream, name)
	must(t, l.Close())
}

// handOver is a child that listens, and sends its parent the listener.
func handOver(args []string) error {
	f := os.NewFile(3, "socket")
	c, err := uds.FromFile(f)
	if err != nil {
		return err
	}
	l, err := uds.Listen(uds.Stream, args[0], nil)
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	_, err = c.SendFiles(ctx, []byte("listener"), l)
	return errors.Join(err, l.Close(), c.Close(), f.Close())
}

// A Conn of which a child has the other end, or a duplicate, keeps its deadlines and
// its Close.
func TestFileForChild(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			one, err := a.File()
			must(t, err)
			two, err := b.File()
			must(t, err)
			startChild(t, "hold", nil, one, two).expect(t, "ready")
			must(t, errors.Join(one.Close(), two.Close()))
			must(t, a.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Read at the deadline: %v, want os.ErrDeadlineExceeded", err)
			}
			must(t, a.SetReadDeadline(time.Time{}))
			raw, err := a.SyscallConn()
			must(t, err)
			must(t, raw.Control(func(fd uintptr) {
				if _, nonblock := flags(t, int(fd)); !nonblock {
					t.Error("the Conn has become blocking")
				}
			}))
			call := waiting(t, func() error { return second(a.Read(make([]byte, 1))) })
			must(t, a.Close())
			if err := result(t, call); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Read over Close: %v, want net.ErrClosed", err)
			}
		})
	}
}

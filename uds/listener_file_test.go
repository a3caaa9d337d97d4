//go:build linux

package uds_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// fileOf returns a file with a duplicate of the descriptor of l, which is closed at
// the end.
func fileOf(tb testing.TB, l *uds.Listener) *os.File {
	tb.Helper()
	fd, err := uds.Duplicate(l)
	must(tb, err)
	f := os.NewFile(uintptr(fd), "listener")
	tb.Cleanup(func() { _ = f.Close() }) // the test may have
	return f
}

// flags returns the flags of a descriptor and of the open file behind it.
func flags(tb testing.TB, fd int) (cloexec, nonblock bool) {
	tb.Helper()
	own, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	must(tb, err)
	shared, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	must(tb, err)
	return own&unix.FD_CLOEXEC != 0, shared&unix.O_NONBLOCK != 0
}

// Detach hands out the descriptor, ends the calls that wait, and leaves the backlog
// as it is.
func TestListenerDetach(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			l, name := listener(t, kind)
			calls := []<-chan error{
				waiting(t, func() error { return second(l.AcceptConn(patient(t))) }),
				waiting(t, func() error { return second(l.AcceptConn(patient(t))) }),
			}
			fd, err := l.Detach()
			must(t, err)
			defer func() { must(t, unix.Close(fd)) }()
			for _, call := range calls {
				if err := result(t, call); !errors.Is(err, net.ErrClosed) {
					t.Errorf("AcceptConn over Detach: %v, want net.ErrClosed", err)
				}
			}
			if cloexec, nonblock := flags(t, fd); !cloexec || !nonblock {
				t.Errorf("descriptor: close-on-exec %t, non-blocking %t", cloexec, nonblock)
			}
			dial(t, kind, name)
			for what, err := range map[string]error{
				"AcceptConn": second(l.AcceptConn(patient(t))),
				"TryAccept":  second(l.TryAccept()),
				"Detach":     second(l.Detach()),
			} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s after Detach: %v, want net.ErrClosed", what, err)
				}
			}
			if err := l.Close(); err != nil {
				t.Errorf("Close after Detach: %v", err)
			}
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second Close: %v, want net.ErrClosed", err)
			}
			accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
			must(t, err)
			must(t, unix.Close(accepted))
		})
	}
}

func TestFileListener(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			path := place(t) + "/socket"
			l, err := uds.Listen(kind, path, nil)
			must(t, err)
			f := fileOf(t, l)
			again, err := uds.FileListener(f)
			must(t, err)
			must(t, f.Close()) // it stayed the caller's
			if got := again.Addr().String(); got != path {
				t.Errorf("Addr = %q, want %q", got, path)
			}
			serves(t, again, kind, path)
			must(t, again.Close())
			if got := modeOf(path); got&fs.ModeSocket == 0 {
				t.Errorf("mode after Close = %v, want the file, which is another's", got)
			}
			serves(t, l, kind, path)
			must(t, l.Close())
			if got := modeOf(path); got != fs.ModeIrregular {
				t.Errorf("mode after the owner's Close = %v, want no file", got)
			}
		})
	}
}

// What is no listening socket of this family stays as it is.
func TestFileListenerWrong(t *testing.T) {
	leaktest.Check(t)
	a, _ := pair(t, uds.Stream)
	conn, err := a.File()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	tcpFile, err := tcp.(*net.TCPListener).File()
	must(t, err)
	closed, err := os.Open(os.DevNull)
	must(t, err)
	must(t, closed.Close())
	for _, test := range []struct {
		what string
		f    *os.File
		want error
	}{
		{"a connection", conn, unix.EINVAL},
		{"a pipe", r, unix.ENOTSOCK},
		{"a TCP listener", tcpFile, unix.EAFNOSUPPORT},
		{"a closed file", closed, net.ErrClosed},
		{"nil", nil, os.ErrInvalid},
	} {
		if _, err := uds.FileListener(test.f); !errors.Is(err, test.want) {
			t.Errorf("FileListener(%s) = %v, want %v", test.what, err, test.want)
		}
	}
	must(t, errors.Join(conn.Close(), r.Close(), w.Close(), tcp.Close(), tcpFile.Close()))
}

// A child that inherited a listener accepts on it. Its Close, and its end, leave the
// name, and the parent's listener still has deadlines and can be closed.
func TestInheritedListener(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			path := place(t) + "/socket"
			l, err := uds.Listen(kind, path, nil)
			must(t, err)
			for range 2 { // reloads
				c := startChild(t, "accept", nil, fileOf(t, l))
				c.expect(t, path)
				client := dial(t, kind, path)
				p := make([]byte, 10)
				n, err := client.Receive(patient(t), p)
				if string(p[:n]) != "welcome" || err != nil {
					t.Errorf("Receive = %q, %v; want a welcome of the child", p[:n], err)
				}
				c.end(t)
				serves(t, l, kind, path)
			}
			must(t, l.SetDeadline(time.Now().Add(10*time.Millisecond)))
			if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Accept at the deadline: %v, want os.ErrDeadlineExceeded", err)
			}
			must(t, l.SetDeadline(time.Time{}))
			call := waiting(t, func() error { return second(l.Accept()) })
			must(t, l.Close())
			if err := result(t, call); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept over Close: %v, want net.ErrClosed", err)
			}
		})
	}
}

// acceptChild is a child that accepts one connection on the listener it inherited.
func acceptChild([]string) error {
	f := os.NewFile(3, "listener")
	l, err := uds.FileListener(f)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), say(l.Addr())); err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	c, err := l.AcceptConn(ctx)
	if err != nil {
		return err
	}
	_, err = c.Send(ctx, []byte("welcome"))
	return errors.Join(err, c.Close(), l.Close())
}

//go:build linux

package uds_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// SendFiles leaves the process its locks on records of the files, which end with the
// first descriptor that is closed, were it a duplicate. See fcntl(2).
func TestSendFilesKeepsLocks(t *testing.T) {
	leaktest.Check(t)
	a, _ := pair(t, uds.SeqPacket)
	path := filepath.Join(t.TempDir(), "f")
	f, err := os.Create(path)
	must(t, err)
	defer func() { must(t, f.Close()) }()
	raw, err := f.SyscallConn()
	must(t, err)
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	must(t, raw.Control(func(fd uintptr) { err = unix.FcntlFlock(fd, unix.F_SETLK, &lock) }))
	must(t, err)
	probe, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	defer func() { must(t, unix.Close(probe)) }() // not earlier: that ends the lock, too
	locked := func() bool {
		l := unix.Flock_t{Type: unix.F_WRLCK}
		return errors.Is(unix.FcntlFlock(uintptr(probe), unix.F_OFD_SETLK, &l), unix.EAGAIN)
	}
	if !locked() {
		t.Fatal("there is no lock to begin with")
	}
	must(t, second(a.SendFiles(patient(t), []byte("x"), f)))
	if !locked() {
		t.Error("the lock is gone")
	}
}

// SendFiles needs no descriptors of its own.
func TestSendFilesAtTheLimit(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.SeqPacket)
	r, w, err := os.Pipe()
	must(t, err)
	defer func() { must(t, errors.Join(r.Close(), w.Close())) }()
	var old, low syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	low = old
	low.Cur = 64
	files := make([]syscall.Conn, 60)
	for i := range files {
		files[i] = r
	}
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low))
	_, err = a.SendFiles(patient(t), []byte("x"), files...)
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old))
	must(t, err)
	fds := make([]int, len(files))
	_, n, err := b.ReceiveFDs(patient(t), make([]byte, 1), fds)
	must(t, err)
	closeFDs(t, fds[:n])
}

// A file that is closed while SendFiles waits is not sent.
func TestClosedWhileSendFilesWaits(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		stuff(t, a, make([]byte, 1000))
		f, err := os.Open(os.DevNull)
		must(t, err)
		call := waiting(t, func() error { return second(a.SendFiles(patient(t), []byte("x"), f)) })
		must(t, f.Close())
		for len(call) == 0 {
			_, _ = b.TryReceive(make([]byte, 1000)) // it may be empty
			runtime.Gosched()
		}
		if err := result(t, call); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: SendFiles of a file that was closed meanwhile: %v, want ErrClosed", kind, err)
		}
		must(t, second(a.TrySend([]byte("more")))) // the Conn is not
	}
}

// A call with many parts leaves nothing behind for the calls that follow.
func TestManyPartsAreForgotten(t *testing.T) {
	leaktest.Check(t)
	a, _ := pair(t, uds.SeqPacket)
	parts := make([][]byte, 1<<20)
	for i := range parts {
		parts[i] = []byte("x")
	}
	before := measure(t).heap
	if n, err := a.TrySendv(parts...); n != 0 || !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("TrySendv of %d parts = %d, %v; want EMSGSIZE", len(parts), n, err)
	}
	if now := measure(t).heap; now > before+1<<20 {
		t.Errorf("%d bytes are kept", now-before)
	}
	runtime.KeepAlive(parts)
	runtime.KeepAlive(a)
}

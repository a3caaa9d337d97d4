//go:build linux

package uds_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// A deadline that nobody will live to see has not passed, although its nanoseconds
// do not fit in 64 bits, and one of the middle ages has.
func TestFarDeadline(t *testing.T) {
	leaktest.Check(t)
	a, _ := pair(t, uds.SeqPacket)
	for _, d := range []time.Time{time.Now().Add(math.MaxInt64), time.Unix(1<<40, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		must(t, a.SetDeadline(d))
		if n, err := a.TrySend([]byte("x")); n != 1 || err != nil {
			t.Errorf("deadline %v: TrySend = %d, %v; want 1", d, n, err)
		}
	}
	for _, year := range []int{1500, 1600, 1900} {
		must(t, a.SetDeadline(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)))
		if n, err := a.TrySend([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("deadline in %d: TrySend = %d, %v; want ErrDeadlineExceeded", year, n, err)
		}
	}
}

// Who waits for room gets it, while others try all the time: the kernel wakes who
// waits when three quarters of the queue are free, which they never would be.
func TestSendBeforeTrySend(t *testing.T) {
	for _, kind := range []uds.Kind{uds.Datagram, uds.SeqPacket} {
		leaktest.Check(t)
		a, b := pair(t, kind)
		message := make([]byte, 1000)
		stuff(t, a, message)
		sent := waiting(t, func() error { return second(a.Send(patient(t), []byte("important"))) })
		stop := make(chan struct{})
		var others sync.WaitGroup
		for range 2 {
			others.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = a.TrySend(message) // it may be refused
						runtime.Gosched()
					}
				}
			})
		}
		others.Go(func() {
			buf := make([]byte, 2000)
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = b.TryReceive(buf) // it may be empty
					runtime.Gosched()
				}
			}
		})
		must(t, result(t, sent))
		close(stop)
		others.Wait()
	}
}

// A socket that was told to pass the sender's pidfd gets descriptors all the same,
// and keeps no pidfd that nobody asked for.
func TestFDsBesidePIDFD(t *testing.T) {
	for _, cred := range []bool{false, true} {
		for _, kind := range kinds() {
			leaktest.Check(t)
			a, b := pair(t, kind)
			err := control(t, b, func(fd int) error {
				return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSPIDFD, 1)
			})
			if errors.Is(err, unix.ENOPROTOOPT) {
				t.Skip("SO_PASSPIDFD came with Linux 6.5")
			}
			must(t, err)
			if cred {
				must(t, b.PassCred())
			}
			for k := 1; k <= 3; k++ {
				_, err := a.SendFDs(patient(t), []byte("x"), []int{0, 1, 2}[:k]...)
				must(t, err)
				fds := make([]int, k)
				_, n, err := b.ReceiveFDs(patient(t), make([]byte, 10), fds)
				if n != k || err != nil {
					t.Errorf("%s, credentials %t: ReceiveFDs of %d = %d, %v", kind, cred, k, n, err)
				}
				for _, fd := range fds[:n] {
					must(t, unix.Close(fd))
				}
			}
		}
	}
}

func control(tb testing.TB, c *uds.Conn, f func(fd int) error) (err error) {
	tb.Helper()
	raw, _ := c.SyscallConn() // it has no error
	must(tb, raw.Control(func(fd uintptr) { err = f(int(fd)) }))
	return err
}

// A file can be closed while SendFiles waits for room.
func TestCloseWhileSendFilesWaits(t *testing.T) {
	leaktest.Check(t)
	a, _ := pair(t, uds.SeqPacket)
	stuff(t, a, []byte("x"))
	r, w, err := os.Pipe()
	must(t, err)
	must(t, w.Close())
	ctx, cancel := context.WithCancel(patient(t))
	call := waiting(t, func() error { return second(a.SendFiles(ctx, []byte("f"), r)) })
	closed := make(chan error, 1)
	go func() { closed <- r.Close() }()
	must(t, result(t, closed))
	cancel()
	if err := result(t, call); !errors.Is(err, context.Canceled) {
		t.Errorf("SendFiles = %v, want Canceled", err)
	}
}

// Whoever may write to the directory can put a file in the socket's place at any
// moment; it is not given away.
func TestListenGivesNoOtherFileAway(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "s")
	stop := make(chan struct{})
	var thief sync.WaitGroup
	thief.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
					_ = os.Rename(victim, path) // it may be there no more
				}
			}
		}
	})
	for range 500 {
		must(t, os.WriteFile(victim, nil, 0o600))
		l, err := uds.Listen(uds.Stream, path, &uds.ListenOptions{Mode: 0o666})
		for _, name := range []string{victim, path} {
			if info, e := os.Lstat(name); e == nil && info.Mode().IsRegular() && info.Mode().Perm() != 0o600 {
				t.Fatalf("%s has mode %v now; Listen = %v", name, info.Mode(), err)
			}
		}
		if err == nil {
			_ = l.Close() // its file is another's now, or gone
		}
		_ = os.Remove(path) // if it is there
	}
	close(stop)
	thief.Wait()
}

// A Socket that is closed has no sizes.
func TestSizesOfClosedSocket(t *testing.T) {
	s, _ := sockets(t, uds.SeqPacket)
	must(t, s.Close())
	_, err := s.MaxMessage()
	_, other := s.SetBuffers(1, 1)
	if !errors.Is(err, net.ErrClosed) || !errors.Is(other, net.ErrClosed) {
		t.Errorf("MaxMessage: %v, SetBuffers: %v; want ErrClosed", err, other)
	}
}

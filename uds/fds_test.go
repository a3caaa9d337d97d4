//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// passer is what passes descriptors, in one of the styles.
type passer interface {
	TrySendFDs(p []byte, fds ...int) (n int, err error)
	TryReceiveFDs(p []byte, fds []int) (n, nfds int, err error)
	TryReceive(p []byte) (n int, err error)
	Close() error
}

// patientConn is a Conn by the verbs that wait.
type patientConn struct {
	*uds.Conn
	ctx context.Context
}

func (c patientConn) TrySendFDs(p []byte, fds ...int) (n int, err error) {
	return c.SendFDs(c.ctx, p, fds...)
}

func (c patientConn) TryReceiveFDs(p []byte, fds []int) (n, nfds int, err error) {
	return c.ReceiveFDs(c.ctx, p, fds)
}

// eachPair calls test with a pair of each kind, in each style.
func eachPair(t *testing.T, test func(t *testing.T, kind uds.Kind, a, b passer)) {
	t.Helper()
	for _, kind := range kinds() {
		t.Run(kind.String()+" waits", func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			test(t, kind, patientConn{a, patient(t)}, patientConn{b, patient(t)})
		})
		t.Run(kind.String()+" tries", func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			test(t, kind, a, b)
		})
		t.Run(kind.String()+" socket", func(t *testing.T) {
			leaktest.Check(t)
			a, b, err := uds.SocketPair(kind)
			must(t, err)
			t.Cleanup(func() { _, _ = a.Close(), b.Close() }) // the test may have
			test(t, kind, a, b)
		})
	}
}

// open opens n files, which are closed at the end, and returns their descriptors.
func open(tb testing.TB, n int) (fds []int) {
	tb.Helper()
	for range n {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		must(tb, err)
		tb.Cleanup(func() { must(tb, unix.Close(fd)) })
		fds = append(fds, fd)
	}
	return fds
}

// closeFDs closes what was received.
func closeFDs(tb testing.TB, fds []int) {
	tb.Helper()
	for _, fd := range fds {
		must(tb, unix.Close(fd))
	}
}

// identity tells which file is behind a descriptor.
func identity(tb testing.TB, fd int) string {
	tb.Helper()
	var st unix.Stat_t
	must(tb, unix.Fstat(fd, &st))
	return fmt.Sprint(st.Dev, " ", st.Ino)
}

// Up to 253 descriptors arrive with their message, each close-on-exec.
func TestFDCounts(t *testing.T) {
	eachPair(t, func(t *testing.T, _ uds.Kind, a, b passer) {
		t.Helper()
		files := open(t, uds.MaxFDs)
		for _, count := range []int{0, 1, 2, 3, 4, 5, uds.MaxFDs} {
			if n, err := a.TrySendFDs([]byte("hello"), files[:count]...); n != 5 || err != nil {
				t.Fatalf("SendFDs(%d) = %d, %v; want 5", count, n, err)
			}
			p, fds := make([]byte, 10), make([]int, 300)
			n, nfds, err := b.TryReceiveFDs(p, fds)
			if string(p[:n]) != "hello" || nfds != count || err != nil {
				t.Fatalf("ReceiveFDs = %q, %d, %v; want hello with %d", p[:n], nfds, err, count)
			}
			for _, fd := range fds[:nfds] {
				if slices.Contains(files, fd) {
					t.Errorf("descriptor %d is the sender's", fd)
				}
				if cloexec, _ := flags(t, fd); !cloexec {
					t.Errorf("descriptor %d is not close-on-exec", fd)
				}
			}
			closeFDs(t, fds[:nfds])
		}
	})
}

// More than 253 are an error before anything is sent, and so is what is none.
func TestFDErrors(t *testing.T) {
	eachPair(t, func(t *testing.T, kind uds.Kind, a, b passer) {
		t.Helper()
		many := slices.Repeat(open(t, 1), uds.MaxFDs+1)
		if n, err := a.TrySendFDs([]byte("x"), many...); n != 0 || !errors.Is(err, unix.EINVAL) ||
			!strings.Contains(err.Error(), "254 descriptors, a message carries 253") {
			t.Errorf("SendFDs(254) = %d, %v; want EINVAL with both numbers", n, err)
		}
		if n, err := a.TrySendFDs([]byte("x"), many[0], -1); n != 0 || !errors.Is(err, unix.EBADF) {
			t.Errorf("SendFDs(-1) = %d, %v; want EBADF", n, err)
		}
		if kind == uds.Stream {
			if n, err := a.TrySendFDs(nil, many[0]); n != 0 || !errors.Is(err, unix.EINVAL) {
				t.Errorf("SendFDs without a byte = %d, %v; want EINVAL", n, err)
			}
		}
		if n, err := b.TryReceive(make([]byte, 1)); !errors.Is(err, uds.ErrEmpty) {
			t.Errorf("TryReceive = %d, %v; want ErrEmpty", n, err)
		}
		must(t, a.Close())
		if n, err := a.TrySendFDs([]byte("x"), many[0]); n != 0 || err == nil {
			t.Errorf("SendFDs after Close = %d, %v; want an error", n, err)
		}
		if n, nfds, err := a.TryReceiveFDs(make([]byte, 1), make([]int, 1)); n != 0 || nfds != 0 || err == nil {
			t.Errorf("ReceiveFDs after Close = %d, %d, %v; want an error", n, nfds, err)
		}
	})
}

// They arrive in the order in which they were sent.
func TestFDOrder(t *testing.T) {
	eachPair(t, func(t *testing.T, _ uds.Kind, a, b passer) {
		t.Helper()
		var files [8]int
		for i := 0; i < len(files); i += 2 {
			must(t, unix.Pipe2(files[i:i+2], unix.O_CLOEXEC))
		}
		must(t, second(a.TrySendFDs([]byte("x"), files[:]...)))
		var fds [8]int
		_, nfds, err := b.TryReceiveFDs(make([]byte, 1), fds[:])
		if nfds != len(files) || err != nil {
			t.Fatalf("ReceiveFDs = %d, %v; want %d", nfds, err, len(files))
		}
		for i := range files {
			if got, want := identity(t, fds[i]), identity(t, files[i]); got != want {
				t.Errorf("descriptor %d is file %s, want %s", i, got, want)
			}
		}
		closeFDs(t, files[:])
		closeFDs(t, fds[:])
	})
}

// A message without bytes can carry descriptors on the kinds that have such
// messages. With them a SeqPacket tells it from the end, even at the end.
func TestFDsAlone(t *testing.T) {
	eachPair(t, func(t *testing.T, kind uds.Kind, a, b passer) {
		t.Helper()
		if kind == uds.Stream {
			return // TestFDErrors
		}
		file := open(t, 1)[0]
		for last := range 2 {
			must(t, second(a.TrySendFDs(nil, file)))
			if last == 1 {
				must(t, a.Close())
			}
			fds := make([]int, 1)
			n, nfds, err := b.TryReceiveFDs(make([]byte, 10), fds)
			if n != 0 || nfds != 1 || err != nil {
				t.Fatalf("ReceiveFDs = %d, %d, %v; want 0, 1", n, nfds, err)
			}
			closeFDs(t, fds)
		}
	})
}

// On a Stream bytes before a SendFDs may come with it, and none that follow.
func TestFDsOnStream(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.Stream)
	ctx := patient(t)
	file := open(t, 1)[0]
	for i, part := range []string{"ab", "cd", "ef", "gh"} {
		var fds []int
		if i == 1 || i == 2 {
			fds = []int{file}
		}
		must(t, second(a.SendFDs(ctx, []byte(part), fds...)))
	}
	for _, want := range []struct {
		bytes string
		nfds  int
	}{{"abcd", 1}, {"ef", 1}, {"gh", 0}} {
		p, fds := make([]byte, 100), make([]int, 10)
		n, nfds, err := b.ReceiveFDs(ctx, p, fds)
		if string(p[:n]) != want.bytes || nfds != want.nfds || err != nil {
			t.Errorf("ReceiveFDs = %q, %d, %v; want %q, %d", p[:n], nfds, err, want.bytes, want.nfds)
		}
		closeFDs(t, fds[:nfds])
	}
}

// What is sent in several parts has its descriptors with the first one, once, also
// if even that has to wait.
func TestFDsOfLargeSend(t *testing.T) {
	for _, ahead := range []int{0, 1 << 20} { // bytes, or as many as fit
		leaktest.Check(t)
		a, b := pair(t, uds.Stream)
		ctx := patient(t)
		ahead, err := a.TrySend(make([]byte, ahead))
		if err != nil && !errors.Is(err, uds.ErrFull) {
			t.Fatal(err)
		}
		all := []byte(strings.Repeat("0123456789abcdef", 1<<16)) // more than the socket takes
		files := open(t, 2)
		sent := waiting(t, func() error {
			n, err := a.SendFDs(ctx, all, files...)
			if n != len(all) {
				t.Errorf("SendFDs = %d, %v; want %d", n, err, len(all))
			}
			return err
		})
		var got []byte
		var arrived []int
		for p, fds := make([]byte, 10_000), make([]int, 10); len(got) < ahead+len(all); {
			n, nfds, err := b.ReceiveFDs(ctx, p, fds)
			must(t, err)
			got, arrived = append(got, p[:n]...), append(arrived, fds[:nfds]...)
			if nfds > 0 && (len(got) <= ahead || len(got)-n > ahead) {
				t.Errorf("%d descriptors with bytes %d to %d, want all with byte %d", nfds, len(got)-n, len(got), ahead)
			}
		}
		if len(arrived) != 2 || string(got[ahead:]) != string(all) {
			t.Errorf("%d descriptors and %d bytes, want 2 and %d", len(arrived), len(got), ahead+len(all))
		}
		must(t, result(t, sent))
		closeFDs(t, arrived)
	}
}

// A TrySendFDs that a Stream takes a part of has sent the descriptors.
func TestFDsOfPartialSend(t *testing.T) {
	leaktest.Check(t)
	a, b := pair(t, uds.Stream)
	all := make([]byte, 1<<20)
	n, err := a.TrySendFDs(all, open(t, 1)...)
	if n == 0 || n == len(all) || !errors.Is(err, uds.ErrFull) {
		t.Fatalf("TrySendFDs(%d bytes) = %d, %v; want a part and ErrFull", len(all), n, err)
	}
	if n, err := a.TrySendFDs(all, open(t, 1)...); n != 0 || !errors.Is(err, uds.ErrFull) {
		t.Fatalf("TrySendFDs on a full Stream = %d, %v; want 0, ErrFull", n, err)
	}
	rest := waiting(t, func() error { return second(a.Send(patient(t), all[n:])) })
	count := 0
	for p, fds := make([]byte, 1<<16), make([]int, 10); n >= 0 && count < len(all); {
		n, nfds, err := b.ReceiveFDs(patient(t), p, fds)
		must(t, err)
		if nfds != map[bool]int{true: 1}[count == 0] {
			t.Errorf("%d descriptors after %d bytes", nfds, count)
		}
		count += n
		closeFDs(t, fds[:nfds])
	}
	must(t, result(t, rest))
}

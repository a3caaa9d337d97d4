//go:build linux

package uds_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A queue takes fewer messages the larger they are. How many is the kernel's affair.
func TestRoom(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		before := 0
		for _, size := range []int{65536, 16384, 4096, 1024, 256, 1} {
			for style, p := range ends(t, kind) {
				sent, messages := stuff(t, p[0], make([]byte, size))
				if messages < 2 || messages < before {
					t.Errorf("%s %s: room for %d messages of %d bytes, and for %d of a larger size", kind, style, messages, size, before)
				}
				if received := drain(t, p[1]); received != sent {
					t.Errorf("%s %s: received %d bytes, sent %d", kind, style, received, sent)
				}
				before = messages
			}
		}
	}
}

// TrySend sends nothing when it says that there is no room, and sends again as soon
// as there is some, long before the kernel calls the socket writable.
func TestFull(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			number := func(i int) []byte { return binary.NativeEndian.AppendUint32(make([]byte, 1020), uint32(i)) }
			count := 0
			for ; ; count++ {
				n, err := p[0].TrySend(number(count))
				if err == uds.ErrFull && n == 0 {
					break
				}
				must(t, err)
			}
			refused, buf := 0, make([]byte, 1024)
			for i := range count {
				if n, err := p[1].TryReceive(buf); !bytes.Equal(buf[:n], number(i)) || err != nil {
					t.Fatalf("%s %s: TryReceive %d = %x, %v", kind, style, i, buf[:n], err)
				}
				n, err := p[0].TrySend(number(count + i - refused))
				if err == uds.ErrFull && n == 0 {
					refused++
				} else if n != 1024 || err != nil {
					t.Fatalf("%s %s: TrySend = %d, %v", kind, style, n, err)
				}
			}
			if refused > 3 {
				t.Errorf("%s %s: %d of %d sends found no room after a message was received", kind, style, refused, count)
			}
			for i := count; i < 2*count-refused; i++ {
				if n, err := p[1].TryReceive(buf); !bytes.Equal(buf[:n], number(i)) || err != nil {
					t.Fatalf("%s %s: TryReceive %d = %x, %v", kind, style, i, buf[:n], err)
				}
			}
		}
	}
}

// The kernel calls a socket writable when three quarters of the queue are free.
func TestWritable(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := sockets(t, kind)
		_, messages := stuff(t, a, make([]byte, 1024))
		drained, sent := 0, 0
		for ; ; drained++ {
			set := []unix.PollFd{{Fd: int32(a.FD()), Events: unix.POLLOUT}}
			if n, err := unix.Poll(set, 0); n == 1 && err == nil {
				break
			}
			if sent == 0 {
				if _, err := a.TrySend(make([]byte, 1)); err == nil {
					sent = drained // the first that was possible
				}
			}
			must(t, second(b.TryReceive(make([]byte, 1024))))
		}
		if drained < messages/2 || drained > messages || sent == 0 || sent > 4 {
			t.Errorf("%s: room from %d on, writable at %d of %d drained; want 1 or 2, and three quarters", kind, sent, drained, messages)
		}
	}
}

// What is larger than the buffer can be at all is EMSGSIZE, and nothing is sent.
func TestTooLarge(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for _, ask := range []int{0, 4096, 20_000, 100_000, 500_000} {
				granted, err := p[0].SetBuffers(ask, 0)
				must(t, err)
				limit, err := p[0].MaxMessage()
				if limit != granted.Send-32 || err != nil {
					t.Errorf("%s %s: MaxMessage = %d, %v; want 32 less than %d", kind, style, limit, err, granted.Send)
				}
				if n, err := p[0].TrySend(make([]byte, limit+1)); n != 0 || !errors.Is(err, unix.EMSGSIZE) {
					t.Errorf("%s %s: TrySend(%d bytes) = %d, %v; want EMSGSIZE", kind, style, limit+1, n, err)
				}
				if n, err := p[1].TrySize(); err != uds.ErrEmpty {
					t.Errorf("%s %s: TrySize after it = %d, %v; want ErrEmpty", kind, style, n, err)
				}
				if n, err := p[0].TrySend(make([]byte, limit)); n != limit || err != nil {
					t.Errorf("%s %s: TrySend(%d bytes) = %d, %v", kind, style, limit, n, err)
				}
				if n, err := p[1].TryReceive(make([]byte, limit)); n != limit || err != nil {
					t.Errorf("%s %s: TryReceive = %d, %v; want %d", kind, style, n, err, limit)
				}
			}
		}
	}
}

// Above some 4 MiB the kernel gives out of memory for one message, whatever the
// buffer, and says ENOBUFS, which is EMSGSIZE to callers.
func TestNoBuffer(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			granted, err := p[0].SetBuffers(8<<20, 0)
			must(t, err)
			if granted.Send < 6<<20 {
				t.Skipf("net.core.wmem_max allows a send buffer of %d bytes, 6 MiB are needed", granted.Send)
			}
			n, err := p[0].TrySend(make([]byte, 5<<20))
			if n != 0 || !errors.Is(err, unix.EMSGSIZE) || !errors.Is(err, unix.ENOBUFS) {
				t.Errorf("%s %s: TrySend(5 MiB) with %d bytes of buffer = %d, %v; want EMSGSIZE and ENOBUFS", kind, style, granted.Send, n, err)
			}
			if _, err := p[1].TrySize(); err != uds.ErrEmpty {
				t.Errorf("%s %s: TrySize after it: %v, want ErrEmpty", kind, style, err)
			}
		}
	}
}

// SetBuffers tells what the kernel made of the request, and Buffers the same.
func TestSetBuffers(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for _, ask := range []uds.Buffers{{Send: 10_000}, {Receive: 12_000}, {Send: 30_000, Receive: 40_000}, {Send: 1}, {Send: 1 << 30, Receive: 1 << 30}} {
				before, err := p[0].SetBuffers(0, 0)
				must(t, err)
				got, err := p[0].SetBuffers(ask.Send, ask.Receive)
				must(t, err)
				checkGranted(t, "send", ask.Send, before.Send, got.Send)
				checkGranted(t, "receive", ask.Receive, before.Receive, got.Receive)
				again, err := p[0].SetBuffers(0, 0)
				if again != got || err != nil {
					t.Errorf("%s %s: SetBuffers(0, 0) = %+v, %v; want %+v", kind, style, again, err, got)
				}
			}
			for _, ask := range []uds.Buffers{{Send: -1}, {Receive: -1}} {
				if _, err := p[0].SetBuffers(ask.Send, ask.Receive); !errors.Is(err, unix.EINVAL) {
					t.Errorf("%s %s: SetBuffers(%d, %d): %v, want EINVAL", kind, style, ask.Send, ask.Receive, err)
				}
			}
			must(t, p[0].Close())
			if _, err := p[0].SetBuffers(1, 1); err == nil {
				t.Errorf("%s %s: SetBuffers after Close: no error", kind, style)
			}
			if _, err := p[0].MaxMessage(); err == nil {
				t.Errorf("%s %s: MaxMessage after Close: no error", kind, style)
			}
		}
	}
	c, _ := pair(t, uds.Stream)
	b, err := c.SetBuffers(10_000, 0)
	must(t, err)
	if got, err := c.Buffers(); got != b || err != nil {
		t.Errorf("Buffers = %+v, %v; want %+v", got, err, b)
	}
}

// checkGranted fails tb unless got is what the kernel makes of ask.
func checkGranted(tb testing.TB, what string, ask, before, got int) {
	tb.Helper()
	ok := false
	switch {
	case ask == 0:
		ok = got == before
	case ask < 2000: // less than the kernel's least
		ok = got > ask
	case ask > 1<<28: // more than any wmem_max here
		ok = got >= before && got/2 < ask
	default:
		ok = got == 2*ask
	}
	if !ok {
		tb.Errorf("%s buffer of %d bytes, asked for %d, it was %d", what, got, ask, before)
	}
}

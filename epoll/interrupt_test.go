//go:build linux

package epoll_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/plait-go/plait/epoll"
)

// A system call that a signal interrupts is made again, whichever it is. Signals hit
// calls that do not block too rarely for a test, so strace(1) has every second call
// of each kind end with EINTR.
func TestInterruptedCallsAreMadeAgain(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace here; on Debian: apt-get install strace")
	}
	if err := exec.Command(strace, "-o", os.DevNull, "true").Run(); err != nil {
		t.Skip("strace may not trace here: ", err)
	}
	const calls = "recvfrom,sendto,sendmsg,accept4,epoll_pwait,?epoll_wait"
	tracer := []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + calls, "-e", "inject=" + calls + ":error=EINTR:when=1+2"}
	for _, network := range []string{"tcp", "unixpacket"} {
		t.Run(network, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				e := listenAt(t, network)
				file := os.NewFile(uintptr(e.fd), "listener")
				t.Cleanup(func() { _ = file.Close() })
				startUnder(t, tracer, "greet", w, file)
				for range 3 {
					c := e.dial(t)
					must(t, c.SetDeadline(time.Now().Add(patience)))
					comes(t, c, pattern(greeting))
					for _, size := range []int{1, 100, 70_000, 100_000} {
						echoed(t, c, pattern(size))
					}
					must(t, c.Close())
				}
			})
		})
	}
}

// greeting is more bytes than are collected before a system call is made.
const greeting = 100_000

// welcome writes something in two pieces, which leave in one system call.
func welcome(c *epoll.Conn) error {
	p := pattern(greeting)
	_, err := c.Writev(p[:1], p[1:])
	return err
}

// echoed sends p, and checks that it comes back.
func echoed(tb testing.TB, c io.ReadWriter, p []byte) {
	tb.Helper()
	_, err := c.Write(p)
	must(tb, err)
	comes(tb, c, p)
}

// comes checks that p comes.
func comes(tb testing.TB, r io.Reader, p []byte) {
	tb.Helper()
	got := make([]byte, len(p))
	_, err := io.ReadFull(r, got)
	must(tb, err)
	if !bytes.Equal(got, p) {
		tb.Errorf("%d bytes came changed", len(p))
	}
}

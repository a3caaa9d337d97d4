//go:build linux

package load

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A Churner that cannot connect again closes each of its descriptors once: the
// number may be another's by then.
func TestChurnerClosesOnce(t *testing.T) {
	poller, err := epoll.NewPoller(epoll.Block)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fds[1]) }()
	if err := poller.Add(fds[0], 0, watched); err != nil {
		t.Fatal(err)
	}
	c := &Churner{
		Client: &Client{poller: poller, conns: []conn{{fd: fds[0]}}, undo: func() {}},
		addr:   &unix.SockaddrUnix{Name: t.TempDir() + "/nobody"},
	}
	if err := c.renew(&c.conns[0], 0); err == nil {
		t.Fatal("renew has connected")
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

//go:build linux

package uds_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A program that is started inherits nothing that it was not given.
func TestExecInheritsNothing(t *testing.T) {
	leaktest.Check(t)
	ctx := patient(t)
	path := place(t) + "/socket"
	l, err := uds.Listen(uds.Stream, path, nil)
	must(t, err)
	defer func() { must(t, l.Close()) }()
	dial(t, uds.Stream, path)
	accepted, err := l.AcceptConn(ctx)
	must(t, err)
	defer func() { must(t, accepted.Close()) }()
	named(t, path+"2")
	a, b := pair(t, uds.Datagram)
	x, y, err := uds.SocketPair(uds.SeqPacket)
	must(t, err)
	defer func() { _, _ = x.Close(), y.Close() }() // as they are
	f, err := a.File()
	must(t, err)
	defer func() { must(t, f.Close()) }()
	duplicate, err := uds.Duplicate(l)
	must(t, err)
	defer func() { must(t, unix.Close(duplicate)) }()
	detached, err := accepted.File()
	must(t, err)
	defer func() { must(t, detached.Close()) }()
	must(t, second(a.SendFiles(ctx, []byte("x"), l, accepted)))
	var received [2]int
	if _, n, err := b.ReceiveFDs(ctx, make([]byte, 1), received[:]); n != 2 || err != nil {
		t.Fatalf("ReceiveFDs = %d, %v; want 2", n, err)
	}
	defer closeFDs(t, received[:])
	if pidfd, err := accepted.PeerPIDFD(); err == nil {
		defer func() { must(t, unix.Close(pidfd)) }()
	}

	own := leaktest.FDs(t)
	c := startChild(t, "descriptors", nil)
	sockets := 0
	for _, target := range own {
		if strings.HasPrefix(target, "socket:") {
			sockets++
		}
	}
	if sockets < 10 {
		t.Errorf("%d sockets are open, too few to tell anything: %q", sockets, own)
	}
	for line := c.line(t); line != "end"; line = c.line(t) {
		for fd, target := range own {
			private := strings.HasPrefix(target, "socket:") || strings.Contains(target, path) || strings.Contains(target, "pidfd")
			if private && line == target {
				t.Errorf("the child has %s, the parent's %s", line, fd)
			}
		}
	}
}

// listDescriptors is a child that tells what it has open.
func listDescriptors([]string) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil {
			continue // that of ReadDir
		}
		if err := say(target); err != nil {
			return err
		}
	}
	return say("end")
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Without a free descriptor Accept fails, and the connection stays in the backlog.
func TestAcceptWithoutDescriptors(t *testing.T) {
	leaktest.Check(t)
	c := startChild(t, "accept without descriptors", nil)
	c.expect(t, "survived")
}

// acceptWithoutDescriptors is a child that accepts at the limit of open files.
func acceptWithoutDescriptors([]string) error {
	name := fmt.Sprintf("@plait-uds-test-limit-%d", unix.Getpid())
	l, err := uds.Listen(uds.Stream, name, nil)
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	waits := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		close(ready)
		waits <- second(l.AcceptConn(ctx))
	}()
	<-ready
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	lowered, err := lower()
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		return err
	}
	for i, accept := range []func() error{
		func() error { return <-waits },
		func() error { return second(l.TryAccept()) },
		func() error { return second(l.Accept()) },
	} {
		err := accept()
		var temporary interface{ Temporary() bool }
		if !errors.Is(err, unix.EMFILE) || !errors.As(err, &temporary) || !temporary.Temporary() {
			return fmt.Errorf("accept %d: %w, want EMFILE, which is temporary", i, err)
		}
	}
	if _, err := uds.Dial(ctx, uds.Stream, name); !errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("Dial: %w, want EMFILE", err)
	}
	if err := lowered.raise(); err != nil {
		return err
	}
	c, err := l.AcceptConn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.Close(), l.Close(), unix.Close(fd), say("survived"))
}

// limit is a limit of open files that was lowered.
type limit struct {
	before unix.Rlimit
	free   int // the lowest free descriptor
}

// lower lowers the limit of open files so far that no more can be opened.
func lower() (*limit, error) {
	l := new(limit)
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l.before); err != nil {
		return nil, err
	}
	free, err := unix.Dup(0)
	if err != nil {
		return nil, err
	}
	l.free = free
	// Below are standard input, output and errors. What is open stays open.
	return l, errors.Join(unix.Close(free), l.set(3))
}

// allow lets up to n be opened.
func (l *limit) allow(n int) error { return l.set(l.free + n) }

func (l *limit) set(n int) error {
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(n), Max: l.before.Max})
}

// raise sets the limit to what it was.
func (l *limit) raise() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &l.before) }

// More clients than the backlog has room for get through, one after the other.
func TestBacklog(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			name := abstract(t)
			l, err := uds.Listen(kind, name, &uds.ListenOptions{Backlog: 1})
			must(t, err)
			const clients = 100
			dials := make(chan error, clients)
			for range clients {
				go func() {
					c, err := uds.Dial(patient(t), kind, name)
					if err == nil {
						err = c.Close()
					}
					dials <- err
				}()
			}
			for range clients {
				c, err := l.AcceptConn(patient(t))
				must(t, err)
				must(t, c.Close())
				if err := result(t, dials); err != nil {
					t.Errorf("Dial with %d others: %v", clients-1, err)
				}
			}
			must(t, l.Close())
		})
	}
}

// The backlog is as large as asked for, or else as the system allows. The kernel
// takes one more.
func TestBacklogSize(t *testing.T) {
	leaktest.Check(t)
	most := somaxconn(t)
	for ask, want := range map[int]int{1: 2, 7: 8, 0: most + 1, most + 1: most + 1} {
		var files unix.Rlimit
		must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
		if uint64(want)+100 > files.Cur || want > 5000 {
			continue // too many descriptors
		}
		path := place(t) + "/socket"
		l, err := uds.Listen(uds.SeqPacket, path, &uds.ListenOptions{Backlog: ask})
		must(t, err)
		fds := fillBacklog(t, uds.SeqPacket, path)
		if len(fds) != want {
			t.Errorf("Listen with a backlog of %d: room for %d, want %d", ask, len(fds), want)
		}
		for _, fd := range fds {
			must(t, unix.Close(fd))
		}
		must(t, l.Close())
	}
}

// somaxconn returns the system's limit of backlogs.
func somaxconn(tb testing.TB) int {
	tb.Helper()
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	must(tb, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(tb, err)
	return n
}

// A Dial that waits for the backlog ends with its context, and with the listener.
func TestDialWaits(t *testing.T) {
	for _, kind := range listening() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			path := place(t) + "/socket"
			l, err := uds.Listen(kind, path, &uds.ListenOptions{Backlog: 1})
			must(t, err)
			fds := fillBacklog(t, kind, path)
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			cancelled := waiting(t, func() error { return second(uds.Dial(ctx, kind, path)) })
			closed := waiting(t, func() error { return second(uds.Dial(patient(t), kind, path)) })
			cancel(cause)
			if err := result(t, cancelled); !errors.Is(err, cause) {
				t.Errorf("Dial after cancel: %v, want the cause", err)
			}
			if _, err := uds.Dial(ctx, kind, path); !errors.Is(err, cause) {
				t.Errorf("Dial with an ended context: %v, want the cause", err)
			}
			must(t, l.Close())
			err = result(t, closed)
			var op *net.OpError
			if !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOENT) || !errors.As(err, &op) || op.Addr.String() != path {
				t.Errorf("Dial over the listener's Close: %v, want ECONNREFUSED or ENOENT at %s", err, path)
			}
			for _, fd := range fds {
				must(t, unix.Close(fd))
			}
		})
	}
}

// A Dial says why.
func TestDialErrors(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	leave(t, uds.Stream, dir+"/stale")
	unready := rawBound(t, uds.Stream, dir+"/unready")
	for _, kind := range kinds() {
		s, err := listenAny(kind, dir+"/"+kind.String(), nil)
		must(t, err)
		for _, other := range kinds() {
			if other == kind {
				continue
			}
			if _, err := uds.Dial(patient(t), other, dir+"/"+kind.String()); !errors.Is(err, unix.EPROTOTYPE) {
				t.Errorf("Dial of a %s as a %s: %v, want EPROTOTYPE", kind, other, err)
			}
		}
		for name, want := range map[string]error{
			dir + "/none":         unix.ENOENT,
			dir + "/stale":        unix.ECONNREFUSED,
			dir:                   unix.ECONNREFUSED,
			dir + "/stale/socket": unix.ENOTDIR,
			abstract(t):           unix.ECONNREFUSED,
		} {
			if _, err := uds.Dial(patient(t), kind, name); !errors.Is(err, want) {
				t.Errorf("Dial(%s, %s) = %v, want %v", kind, name, err, want)
			}
		}
		must(t, s.Close())
	}
	if _, err := uds.Dial(patient(t), uds.Stream, dir+"/unready"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("Dial of a socket that does not listen yet: %v, want ECONNREFUSED", err)
	}
	must(t, unix.Close(unready))
}

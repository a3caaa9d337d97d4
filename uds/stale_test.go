//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// leave leaves a socket file that no process has.
func leave(tb testing.TB, kind uds.Kind, path string) {
	tb.Helper()
	unbound := rawBound(tb, kind, path)
	must(tb, unix.Close(unbound))
}

// rawBound binds a socket, without this package.
func rawBound(tb testing.TB, kind uds.Kind, path string) (fd int) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	must(tb, unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	return fd
}

// serves fails tb unless a client reaches s, a socket of that kind.
func serves(tb testing.TB, s socket, kind uds.Kind, path string) {
	tb.Helper()
	ctx := patient(tb)
	client, err := uds.Dial(ctx, kind, path)
	must(tb, err)
	server, ok := s.(*uds.Conn)
	if l, listens := s.(*uds.Listener); listens {
		ok = true
		server, err = l.AcceptConn(ctx)
		must(tb, err)
		defer func() { must(tb, server.Close()) }()
	}
	if !ok {
		tb.Fatalf("not a socket: %T", s)
	}
	_, err = client.Send(ctx, []byte("hello"))
	must(tb, err)
	p := make([]byte, 10)
	n, err := server.Receive(ctx, p)
	if string(p[:n]) != "hello" || err != nil {
		tb.Errorf("%s: Receive = %q, %v; want what the client sent", kind, p[:n], err)
	}
	must(tb, client.Close())
}

// A server that was killed leaves its file, and the next one takes its place.
func TestAfterCrash(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, kind := range kinds() {
		path := dir + "/" + kind.String()
		c := startChild(t, "listen", []string{strconv.Itoa(int(kind)), path})
		c.expect(t, "listens")
		c.kill(t)
		if got := modeOf(path); got != fs.ModeSocket|0o600 {
			t.Fatalf("%s: mode after SIGKILL = %v, want a socket file", kind, got)
		}
		if _, err := uds.Dial(patient(t), kind, path); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("%s: Dial after SIGKILL: %v, want ECONNREFUSED", kind, err)
		}
		s, err := listenAny(kind, path, &uds.ListenOptions{Mode: 0o660})
		if err != nil {
			t.Errorf("%s: listen after SIGKILL: %v", kind, err)
			continue
		}
		if got := modeOf(path); got != fs.ModeSocket|0o660 {
			t.Errorf("%s: mode = %v, want that of the second server", kind, got)
		}
		serves(t, s, kind, path)
		must(t, s.Close())
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

// listenChild is a child that listens until its input ends.
func listenChild(args []string) error {
	kind, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := listenAny(uds.Kind(kind), args[1], nil)
	if err != nil {
		return err
	}
	if err := say("listens"); err != nil {
		return err
	}
	_, _ = hear() // the end
	return s.Close()
}

// A file left by a socket of one kind gives way to any other kind.
func TestStaleOfAnotherKind(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/socket"
	for _, old := range kinds() {
		for _, kind := range kinds() {
			leave(t, old, path)
			s, err := listenAny(kind, path, nil)
			if err != nil {
				t.Fatalf("listen as a %s on the file of a %s: %v", kind, old, err)
			}
			serves(t, s, kind, path)
			must(t, s.Close())
		}
	}
}

// live is a socket in use, which must not notice that somebody else wants its name.
type live struct {
	what string
	make func(t *testing.T, path string) (check func(t *testing.T))
}

func lives() []live {
	all := []live{{"a full backlog", fullBacklog}, {"a connected datagram", connectedDatagram}}
	for _, kind := range kinds() {
		all = append(
			all,
			live{"a " + kind.String(), func(t *testing.T, path string) func(t *testing.T) {
				t.Helper()
				return liveServer(t, kind, path)
			}},
			live{"a " + kind.String() + " that does not listen yet", func(t *testing.T, path string) func(t *testing.T) {
				t.Helper()
				fd := rawBound(t, kind, path)
				return func(t *testing.T) {
					t.Helper()
					must(t, unix.Close(fd))
				}
			}},
		)
	}
	return all
}

// liveServer is a server with nothing to do, and checks that it still has not.
func liveServer(t *testing.T, kind uds.Kind, path string) func(t *testing.T) {
	t.Helper()
	s, err := listenAny(kind, path, nil)
	must(t, err)
	return func(t *testing.T) {
		t.Helper()
		switch s := s.(type) {
		case *uds.Listener:
			_, err = s.TryAccept()
		case *uds.Conn:
			_, err = s.TrySize()
		}
		if !errors.Is(err, uds.ErrEmpty) {
			t.Errorf("what has come to a %s: %v, want ErrEmpty", kind, err)
		}
		serves(t, s, kind, path)
		must(t, s.Close())
	}
}

// fullBacklog is a server that has no room for another connection.
func fullBacklog(t *testing.T, path string) func(t *testing.T) {
	t.Helper()
	l, err := uds.Listen(uds.Stream, path, &uds.ListenOptions{Backlog: 1})
	must(t, err)
	clients := fillBacklog(t, uds.Stream, path)
	return func(t *testing.T) {
		t.Helper()
		n := 0
		for c, err := l.TryAccept(); !errors.Is(err, uds.ErrEmpty); c, err = l.TryAccept() {
			must(t, err)
			must(t, c.Close())
			n++
		}
		if n != len(clients) {
			t.Errorf("connections in the backlog: %d, want %d", n, len(clients))
		}
		for _, fd := range clients {
			must(t, unix.Close(fd))
		}
		must(t, l.Close())
	}
}

// fillBacklog connects until there is no room, and returns the descriptors.
func fillBacklog(tb testing.TB, kind uds.Kind, path string) (fds []int) {
	tb.Helper()
	for {
		fd, err := unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		must(tb, err)
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if errors.Is(err, unix.EAGAIN) {
			must(tb, unix.Close(fd))
			return fds
		}
		must(tb, err)
		fds = append(fds, fd)
	}
}

// connectedDatagram is a socket that takes messages of one other only.
func connectedDatagram(t *testing.T, path string) func(t *testing.T) {
	t.Helper()
	other := rawBound(t, uds.Datagram, path+"2")
	fd := rawBound(t, uds.Datagram, path)
	must(t, unix.Connect(fd, &unix.SockaddrUnix{Name: path + "2"}))
	return func(t *testing.T) {
		t.Helper()
		must(t, errors.Join(unix.Close(fd), unix.Close(other)))
	}
}

// A name in use stays in use, and its socket notices nothing.
func TestLive(t *testing.T) {
	for _, live := range lives() {
		t.Run(live.what, func(t *testing.T) {
			leaktest.Check(t)
			dir := place(t)
			path := dir + "/socket"
			check := live.make(t, path)
			before, err := os.Lstat(path)
			must(t, err)
			for _, kind := range kinds() {
				_, err := listenAny(kind, path, &uds.ListenOptions{Mode: 0o777})
				if !errors.Is(err, unix.EADDRINUSE) {
					t.Errorf("listen as a %s: %v, want EADDRINUSE", kind, err)
				}
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() {
				t.Errorf("the file is %v, %v; want it as it was, %v", after, err, before)
			}
			check(t)
			for _, name := range entries(t, dir) {
				if name != "socket" && name != "socket2" {
					t.Errorf("left: %q", name)
				}
			}
		})
	}
}

// What is no socket is in the way, and stays there.
func TestOtherFiles(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"a file":                        func(path string) error { return os.WriteFile(path, []byte("precious"), 0o640) },
		"a directory":                   func(path string) error { return os.Mkdir(path, 0o750) },
		"a FIFO":                        func(path string) error { return unix.Mkfifo(path, 0o640) },
		"a symbolic link to nothing":    func(path string) error { return os.Symlink("nothing", path) },
		"a symbolic link to a file":     func(path string) error { return os.Symlink(os.Args[0], path) },
		"a symbolic link to a socket":   func(path string) error { return os.Symlink("live", path) },
		"a symbolic link to a dead one": func(path string) error { return os.Symlink("dead", path) },
	} {
		t.Run(what, func(t *testing.T) {
			leaktest.Check(t)
			dir := place(t)
			path := dir + "/socket"
			leave(t, uds.Stream, dir+"/dead")
			check := liveServer(t, uds.Stream, dir+"/live")
			must(t, put(path))
			before, err := os.Lstat(path)
			must(t, err)
			for _, kind := range kinds() {
				_, err := listenAny(kind, path, nil)
				if !errors.Is(err, unix.EADDRINUSE) {
					t.Errorf("listen as a %s: %v, want EADDRINUSE", kind, err)
				}
			}
			after, err := os.Lstat(path)
			if err != nil || fmt.Sprint(after) != fmt.Sprint(before) || !os.SameFile(before, after) {
				t.Errorf("the file is %v, %v; want it as it was, %v", after, err, before)
			}
			if left := entries(t, dir); fmt.Sprint(left) != "[dead live socket]" {
				t.Errorf("left: %q", left)
			}
			check(t)
		})
	}
}

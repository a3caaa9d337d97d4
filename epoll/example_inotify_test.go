//go:build linux

package epoll_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Whoever is connected gets the news, and gets them again when their file
// changes. The Loop watches inotify(7) as it watches sockets.
func ExampleLoop_Add() {
	dir, err := os.MkdirTemp("", "news")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "news.txt")
	check(os.WriteFile(path, []byte("rain"), 0o600))

	loop, err := epoll.New(nil)
	check(err)
	n := &news{loop: loop, path: path, fd: watchDirectory(dir)}
	_, err = loop.Add(n.fd, epoll.Readable, n.changed)
	check(err)
	_, addr := serveTCP(loop, &epoll.Handler{Opened: n.send}, nil)

	go func() {
		defer loop.Stop()
		client := dial(addr)
		fmt.Println(exchange(client, "any news?"))
		check(os.WriteFile(path, []byte("sunshine"), 0o600))
		fmt.Println(exchange(client, "and now?"))
		check(client.Close())
	}()
	check(loop.Run(context.Background()))
	check(unix.Close(n.fd)) // stays the caller's; a Loop that has ended does not watch it
	// Output:
	// rain
	// sunshine
}

// news is what connections of a Loop get.
type news struct {
	loop *epoll.Loop
	path string
	fd   int // of inotify
}

func (n *news) send(c *epoll.Conn) error {
	text, err := os.ReadFile(n.path)
	if err == nil {
		_, err = c.Write(text)
	}
	return err
}

// changed is called when something in the directory has changed.
func (n *news) changed(epoll.Events) {
	buf := make([]byte, 4096)
	size, err := unix.Read(n.fd, buf)
	check(err)
	if !slices.Contains(names(buf[:size]), filepath.Base(n.path)) {
		return
	}
	for c := range n.loop.Conns() {
		if err := n.send(c); err != nil {
			_ = c.Close(err)
		}
	}
}

// watchDirectory returns a descriptor of inotify. It watches a directory and not a
// file, since programs tend to replace a file by a new one.
func watchDirectory(dir string) (fd int) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	check(err)
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CLOSE_WRITE|unix.IN_MOVED_TO)
	check(err)
	return fd
}

// names returns what events of inotify are about. Each is a header, whose last
// four bytes are the length of the name behind it, and the name, padded with
// zeros.
func names(events []byte) []string {
	var all []string
	for len(events) >= unix.SizeofInotifyEvent {
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		name := bytes.TrimRight(events[unix.SizeofInotifyEvent:end], "\x00")
		all = append(all, string(name))
		events = events[end:]
	}
	return all
}

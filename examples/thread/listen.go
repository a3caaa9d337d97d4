//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/plait-go/plait/epoll"
)

// listen listens on addr, which is host:port, or unix: and a path. It returns the
// descriptor, the address in the same form, with its real port, and what removes
// the socket file, if there is one and it is still this one.
//
// A socket file has mode 0600. The file of a dead server is replaced; that of a
// live one is an error, and so is a file of another kind. Listen changes the umask
// for a moment.
func listen(addr string) (fd int, real string, unlink func(), err error) {
	network, name := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if err := removeStale(path); err != nil {
			return -1, "", nil, fmt.Errorf("%s: %w", addr, err)
		}
		defer syscall.Umask(syscall.Umask(0o177))
		network, name = "unix", path
	}
	l, err := net.Listen(network, name)
	if err != nil {
		return -1, "", nil, err
	}
	defer func() { _ = l.Close() }() // fd stays open
	unlink = func() {}
	switch l := l.(type) {
	case *net.TCPListener:
		addr = l.Addr().String()
		fd, err = epoll.Duplicate(l)
	case *net.UnixListener:
		l.SetUnlinkOnClose(false)
		unlink = unlinker(name)
		fd, err = epoll.Duplicate(l)
	}
	return fd, addr, unlink, err
}

// removeStale removes the socket file at path if nobody listens on it.
func removeStale(path string) error {
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return fmt.Errorf("path of %d bytes, a socket's may have %d", len(path), most)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil // there is none, or net.Listen says what is wrong
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is no socket")
	}
	conn, err := net.Dial("unix", path)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	if err == nil {
		_ = conn.Close() // it has answered the question
		err = errors.New("another server listens there")
	}
	return err
}

// unlinker returns a function that removes the file at path, unless another server
// has put its own there since. An abstract name has none.
func unlinker(path string) func() {
	own, err := os.Lstat(path)
	if err != nil {
		return func() {}
	}
	return func() {
		if now, err := os.Lstat(path); err == nil && os.SameFile(own, now) {
			_ = os.Remove(path) // or somebody else has
		}
	}
}

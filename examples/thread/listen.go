//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// listen listens on addr, which is host:port, or unix: and a path, and returns
// the address in the same form, with its real port.
//
// A socket file has mode 0600 and is removed when the listener is closed. The
// file of a dead server is replaced; that of a live one is an error, and so is a
// file of another kind. Listen changes the umask for a moment.
func listen(addr string) (l net.Listener, real string, err error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		if l, err = net.Listen("tcp", addr); err != nil {
			return nil, "", err
		}
		return l, l.Addr().String(), nil
	}
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return nil, "", fmt.Errorf("path of %d bytes, a socket's may have %d", len(path), most)
	}
	if err := removeStale(path); err != nil {
		return nil, "", fmt.Errorf("%s: %w", addr, err)
	}
	defer syscall.Umask(syscall.Umask(0o177))
	l, err = net.Listen("unix", path)
	return l, addr, err
}

// removeStale removes the socket file at path if nobody listens on it.
func removeStale(path string) error {
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

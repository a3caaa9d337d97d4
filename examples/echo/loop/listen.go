//go:build linux

package loop

import (
	"errors"
	"net"
	"strings"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds"
)

// Listen listens on addr, which is host:port, or unix: and a path. It returns the
// descriptor, the address in the same form, with its real port, and what removes
// the socket file, if there is one and it is still this one.
//
// A socket file has mode 0600. The file of a dead server is replaced; that of a
// live one is an error, and so is a file of another kind.
func Listen(addr string) (fd int, real string, unlink func(), err error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		fd, unlink, err = listenUnix(path)
		return fd, addr, unlink, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return -1, "", nil, err
	}
	defer func() { _ = l.Close() }() // fd stays open
	fd, err = epoll.Duplicate(l.(*net.TCPListener))
	return fd, l.Addr().String(), func() {}, err
}

// listenUnix listens on a socket file.
func listenUnix(path string) (fd int, unlink func(), err error) {
	l, err := uds.Listen(uds.Stream, path, nil)
	if err != nil {
		return -1, nil, err
	}
	if fd, err = l.Detach(); err != nil {
		return -1, nil, errors.Join(err, l.Close())
	}
	return fd, func() { _ = l.Close() }, nil // or somebody else has removed it
}

//go:build linux

package reuseport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// MaxCount is how many sockets there may be.
const MaxCount = 4096

// Listen returns n sockets that listen on one address, of network "tcp", "tcp4" or
// "tcp6". If the port is 0, the system chooses one for all of them. They are the
// caller's. If one of them fails, the others are closed, and the error is that of
// net.ListenConfig.Listen, which ctx is for, too.
func Listen(ctx context.Context, network, address string, n int) ([]*net.TCPListener, error) {
	if n < 1 || n > MaxCount {
		return nil, fmt.Errorf("reuseport: %d sockets, want 1 to %d", n, MaxCount)
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("reuseport: %w", net.UnknownNetworkError(network))
	}
	config := &net.ListenConfig{Control: share}
	var all []*net.TCPListener
	for range n {
		l, err := config.Listen(ctx, network, address)
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
			return nil, fmt.Errorf("reuseport: socket %d of %d: %w", len(all)+1, n, err)
		}
		tcp := l.(*net.TCPListener) // the network says so
		all, address = append(all, tcp), tcp.Addr().String()
	}
	return all, nil
}

// share sets SO_REUSEPORT before the socket is bound.
func share(_, _ string, c syscall.RawConn) error {
	var err error
	controlErr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(controlErr, err)
}

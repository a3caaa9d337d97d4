//go:build linux

package epoll

import "golang.org/x/sys/unix"

// A stream is what a Loop asks of the descriptors that it owns. No call blocks,
// and none returns EINTR. An Errno of 0 is success.
type stream struct {
	read     func(fd int, p []byte) (int, unix.Errno)
	write    func(fd int, p []byte) (int, unix.Errno)
	writev   func(fd int, ps [][]byte) (int, unix.Errno)
	accept   func(fd int) (int, unix.Errno)
	pending  func(fd int) bool // somebody waits to be accepted
	connect  func(fd int, sa unix.Sockaddr) unix.Errno
	shutdown func(fd int) unix.Errno // of the direction to the peer
	closeFD  func(fd int) unix.Errno
	reset    func(fd int)            // have closeFD drop what is unsent, and tell the peer so
	unsent   func(fd int) int        // bytes that the peer has not acknowledged, or 0
	largest  func(fd int) int        // bytes of the longest packet that can be sent
	soError  func(fd int) unix.Errno // the error that is pending, which is cleared

	receiveFrom func(fd int, p []byte) (int, unix.Sockaddr, unix.Errno) // the length may exceed that of p
	sendTo      func(fd int, p []byte, to unix.Sockaddr) unix.Errno
}

// system returns the stream that makes system calls.
func system() stream {
	return stream{
		read:        read,
		write:       write,
		writev:      writev,
		accept:      accept,
		pending:     pending,
		connect:     connect,
		shutdown:    func(fd int) unix.Errno { return errno(unix.Shutdown(fd, unix.SHUT_WR)) },
		closeFD:     closeFD,
		reset:       func(fd int) { _ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) },
		unsent:      unsent,
		largest:     largest,
		soError:     soError,
		receiveFrom: receiveFrom,
		sendTo:      sendTo,
	}
}

// read is recv(2).
func read(fd int, p []byte) (int, unix.Errno) {
	for {
		n, e := rawReceive(fd, p)
		if !again(e) {
			return max(n, 0), e
		}
	}
}

// write is send(2).
func write(fd int, p []byte) (int, unix.Errno) {
	for {
		n, e := rawSend(fd, p)
		if !again(e) {
			return max(n, 0), e
		}
	}
}

// writev is sendmsg(2): writev(2) that never blocks.
func writev(fd int, ps [][]byte) (int, unix.Errno) {
	for {
		n, err := unix.SendmsgBuffers(fd, ps, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if e := errno(err); !again(e) {
			return max(n, 0), e
		}
	}
}

// accept is accept4(2), without the address. It has no flag that keeps it from
// blocking, so the descriptor has to have its own, which any process that shares
// the socket can take away.
func accept(fd int) (int, unix.Errno) {
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil && flags&unix.O_NONBLOCK == 0 {
		_ = unix.SetNonblock(fd, true) // what is wrong, accept4 tells
	}
	for {
		conn, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if e := errno(err); !again(e) {
			return conn, e
		}
	}
}

// pending asks poll(2).
func pending(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if !again(errno(err)) {
			return n > 0
		}
	}
}

// connect is connect(2), which goes on when a signal interrupts it.
func connect(fd int, sa unix.Sockaddr) unix.Errno {
	e := errno(unix.Connect(fd, sa))
	if again(e) {
		return unix.EINPROGRESS
	}
	return e
}

// closeFD is close(2), which has closed the descriptor when a signal interrupts
// it.
func closeFD(fd int) unix.Errno {
	e := errno(unix.Close(fd))
	if again(e) {
		return 0
	}
	return e
}

// unsent returns how many bytes of a TCP connection are on their way.
func unsent(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0 // not a socket
	}
	return n
}

// largest returns the limit of a UNIX socket: its send buffer less 32 bytes. See
// unix(7), EMSGSIZE; the kernel's unix_dgram_sendmsg.
func largest(fd int) int {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return 0
	}
	return n - 32
}

// soError returns and clears what went wrong with a socket.
func soError(fd int) unix.Errno {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return errno(err)
	}
	return unix.Errno(code)
}

// receiveFrom is recvfrom(2), which tells the length of the whole message.
func receiveFrom(fd int, p []byte) (int, unix.Sockaddr, unix.Errno) {
	for {
		n, from, err := unix.Recvfrom(fd, p, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		if e := errno(err); !again(e) {
			return max(n, 0), from, e
		}
	}
}

// sendTo is sendto(2), or send(2) where to is nil.
func sendTo(fd int, p []byte, to unix.Sockaddr) unix.Errno {
	for {
		if e := errno(unix.Sendto(fd, p, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, to)); !again(e) {
			return e
		}
	}
}

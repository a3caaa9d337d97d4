//go:build linux

package ipc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// write is write(2), of which the runtime does not know: whoever waits in it keeps a
// processor of the runtime from others.
func write(fd int, p []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// read is read(2), as write.
func read(fd int, p []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

func result(n, _ uintptr, e unix.Errno) (int, error) {
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// msgbuf is what msgsnd(2) and msgrcv(2) take:
//
//	struct msgbuf {
//	    long mtype;     /* message type, must be > 0 */
//	    char mtext[1];  /* message data */
//	};
type msgbuf struct {
	mtype int // a long is as wide
	mtext [8192]byte
}

// msgsnd is msgsnd(2) of the first size bytes of m.
func msgsnd(id int, m *msgbuf, size int) unix.Errno {
	_, _, e := unix.Syscall6(unix.SYS_MSGSND, uintptr(id), uintptr(unsafe.Pointer(m)), uintptr(size), 0, 0, 0)
	return e
}

// msgrcv is msgrcv(2) of any type into m.
func msgrcv(id int, m *msgbuf) (int, unix.Errno) {
	n, _, e := unix.Syscall6(unix.SYS_MSGRCV, uintptr(id), uintptr(unsafe.Pointer(m)), unsafe.Sizeof(m.mtext), 0, 0, 0)
	return int(n), e
}

// A message is what sendmsg(2) and recvmsg(2) take, with descriptors.
type message struct {
	head    unix.Msghdr
	iov     unix.Iovec
	control []byte
}

// newMessage makes a message of the bytes of p, and of control messages, or with
// room for both.
func newMessage(p, control []byte) *message {
	m := &message{control: control}
	m.iov.Base = unsafe.SliceData(p)
	m.iov.SetLen(len(p))
	m.head.Iov = &m.iov
	m.head.SetIovlen(1)
	m.head.Control = unsafe.SliceData(control)
	m.head.SetControllen(len(control))
	return m
}

// sendmsg is sendmsg(2).
func sendmsg(fd int, m *message) (int, error) {
	n, _, e := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.head)), unix.MSG_NOSIGNAL)
	return result(n, 0, e)
}

// recvmsg is recvmsg(2). It returns the number of bytes, and the control messages.
func recvmsg(fd int, m *message) (int, []byte, error) {
	m.head.SetControllen(len(m.control))
	n, _, e := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.head)), unix.MSG_CMSG_CLOEXEC)
	if e != 0 {
		return 0, nil, e
	}
	return int(n), m.control[:m.head.Controllen], nil
}

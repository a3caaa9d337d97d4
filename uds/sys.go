//go:build linux

package uds

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// quick is the size from which on a call goes through the scheduler. All calls
// below never block, whatever became of the flags that a socket shares with other
// processes, so that the runtime need not keep watch over them, which takes a tenth
// of the time of a small message. But a large copy would keep the whole program
// from a garbage collection.
const quick = 64 << 10 // bytes

// invoke is a system call on fd about p, which is size bytes long or describes so
// many, with 0 for what it does not name.
func invoke(trap uintptr, fd, size int, p unsafe.Pointer, a3, a4 int) (int, unix.Errno) {
	if size > quick {
		n, _, e := unix.Syscall6(trap, uintptr(fd), uintptr(p), uintptr(a3), uintptr(a4), 0, 0)
		return int(n), e
	}
	n, _, e := unix.RawSyscall6(trap, uintptr(fd), uintptr(p), uintptr(a3), uintptr(a4), 0, 0)
	return int(n), e
}

// rawSend is sendto(2) without a destination.
func rawSend(fd int, p []byte) (int, unix.Errno) {
	release()
	return invoke(unix.SYS_SENDTO, fd, len(p), unsafe.Pointer(unsafe.SliceData(p)), len(p), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// rawReceive is recvfrom(2) without the source. MSG_TRUNC among flags makes it
// return the true size of a message.
func rawReceive(fd int, p []byte, flags int) (int, unix.Errno) {
	n, e := invoke(unix.SYS_RECVFROM, fd, len(p), unsafe.Pointer(unsafe.SliceData(p)), len(p), flags|unix.MSG_DONTWAIT)
	acquire()
	return n, e
}

// rawSendMessage is sendmsg(2) of a message of size bytes.
func rawSendMessage(fd int, h *unix.Msghdr, size int) (int, unix.Errno) {
	release()
	return invoke(unix.SYS_SENDMSG, fd, size, unsafe.Pointer(h), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0)
}

// rawReceiveMessage is recvmsg(2) into size bytes. It returns the flags in h, and
// the true size of a message.
func rawReceiveMessage(fd int, h *unix.Msghdr, size, flags int) (int, unix.Errno) {
	n, e := invoke(unix.SYS_RECVMSG, fd, size, unsafe.Pointer(h), flags|unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC, 0)
	acquire()
	return n, e
}

// rawBind is bind(2).
func rawBind(fd int, a *address) unix.Errno {
	_, _, e := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.size))
	return e
}

// rawConnect is connect(2).
func rawConnect(fd int, a *address) unix.Errno {
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.size))
	return e
}

// rawName is getsockname(2) or getpeername(2).
func rawName(trap uintptr, fd int, a *address) unix.Errno {
	a.size = uint32(unsafe.Sizeof(a.raw))
	_, _, e := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(unsafe.Pointer(&a.size)))
	return e
}

// setIovecs lets h be about the bytes of bufs from skip on, in limit parts at most,
// with v as memory, which it returns. The number of these bytes is the second result.
func setIovecs(h *unix.Msghdr, v []unix.Iovec, bufs [][]byte, skip, limit int) ([]unix.Iovec, int) {
	v = v[:0]
	size := 0
	for _, b := range bufs {
		if len(v) == limit {
			break
		}
		cut := min(skip, len(b))
		skip -= cut
		if b = b[cut:]; len(b) > 0 {
			v = append(v, unix.Iovec{Base: unsafe.SliceData(b)})
			v[len(v)-1].SetLen(len(b))
			size += len(b)
		}
	}
	h.Iov = unsafe.SliceData(v)
	h.SetIovlen(len(v))
	return v, size
}

// setControl lets h send control messages, or receive them into p.
func setControl(h *unix.Msghdr, p []byte) {
	h.Control = unsafe.SliceData(p)
	h.SetControllen(len(p))
}

// setName lets h be for a, or from it.
func setName(h *unix.Msghdr, a *address) {
	if a == nil {
		h.Name, h.Namelen = nil, 0
		return
	}
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&a.raw)), a.size
}

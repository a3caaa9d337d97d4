//go:build linux

package load

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// bare makes the system calls that a Loop makes, and those that do not block
// without telling the runtime, which costs less than unix.Read, unix.Write and
// unix.EpollWait do.
func bare() calls {
	return calls{
		read: func(fd int, p []byte) (int, unix.Errno) {
			return transfer(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
		},
		write: func(fd int, p []byte) (int, unix.Errno) {
			return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		},
		poll: func(ep int, events []unix.EpollEvent) (int, unix.Errno) {
			n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep),
				uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
			return int(n), err
		},
	}
}

// transfer is recvfrom(2) or sendto(2) without an address, of at least one byte.
func transfer(number uintptr, fd int, p []byte, flags uintptr) (int, unix.Errno) {
	n, _, err := unix.RawSyscall6(number, uintptr(fd),
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	return int(n), err
}

//go:build linux

package epoll

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These calls never block, whatever became of the flags that a socket shares with
// other processes. So they do without what the runtime does around system calls
// that may: it keeps watch over them, and lets other goroutines have the processor
// meanwhile, which takes a sixth of the time of an echo.

// rawReceive is recvfrom(2) without the address.
func rawReceive(fd int, p []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

// rawSend is sendto(2) without an address.
func rawSend(fd int, p []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), e
}

// rawPoll is epoll_pwait(2) with a timeout of 0.
func rawPoll(fd int, raw []unix.EpollEvent) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(len(raw)), 0, 0, 0)
	return int(n), e
}

// notice makes a system call of which the runtime knows.
func notice() { _, _, _ = unix.Syscall(unix.SYS_GETPID, 0, 0, 0) }

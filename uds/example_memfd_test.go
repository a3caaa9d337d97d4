//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// A large content goes as a descriptor of memory, which the receiver maps. It pays
// where many map the same, or where it is used again and again: below some MiB a copy
// through the socket is faster.
func ExampleConn_SendFDs_memfd() {
	ctx := context.Background()
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	fd, err := seal([]byte("a large content"))
	check(err)
	_, err = a.SendFDs(ctx, []byte("content"), fd)
	check(errors.Join(err, unix.Close(fd)))

	buf, fds := make([]byte, 100), make([]int, 1)
	n, nfds, err := b.ReceiveFDs(ctx, buf, fds)
	check(err)
	memory, err := mapSealed(fds[0], 1<<20)
	check(errors.Join(err, unix.Close(fds[0]))) // the memory stays mapped
	fmt.Printf("%s: %d: %s\n", buf[:n], nfds, memory)
	check(errors.Join(unix.Munmap(memory), a.Close(), b.Close()))
	// Output: content: 1: a large content
}

// seals say that neither the size nor the content changes any more, and that this
// stays so.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// seal returns a descriptor of memory with that content, which nobody can change.
func seal(content []byte) (fd int, err error) {
	fd, err = unix.MemfdCreate("content", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, err
	}
	for err == nil && len(content) > 0 {
		var n int
		n, err = unix.Write(fd, content)
		content = content[max(n, 0):]
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// mapSealed maps what a peer sent, up to so many bytes. It asks for the seals first: a
// peer that made the file shorter would end this process with SIGBUS, and one that
// could write would change what was checked already.
func mapSealed(fd, most int) ([]byte, error) {
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return nil, fmt.Errorf("not a memfd: %w", err)
	}
	if has&seals != seals {
		return nil, fmt.Errorf("seals %#x, want %#x: %w", has, seals, unix.EPERM)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Size == 0 || st.Size > int64(most) {
		return nil, fmt.Errorf("%d bytes: %w", st.Size, unix.EFBIG)
	}
	return unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE)
}

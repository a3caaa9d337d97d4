//go:build linux

package ipc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// larges are the ways for messages larger than a packet.
func larges() map[string]opener {
	return map[string]opener{
		"chunk": openChunk,
		"memfd": openMemfd,
	}
}

// chunks has package chunk: what does not fit in a packet is sent in several.
type chunks struct {
	ctx context.Context
	w   *chunk.Writer
	r   *chunk.Reader
}

func openChunk(ctx context.Context, t Task, f *os.File) (end, error) {
	c, err := conn(t, f)
	if err != nil {
		return nil, err
	}
	o := &chunk.ReaderOptions{Limits: chunk.Limits{Spare: 2 * t.Size}} // so that memory is used again
	return chunks{ctx, chunk.NewWriter(c, nil), chunk.NewReader(c, o)}, nil
}

func (e chunks) room(size int) []byte { return make([]byte, size) }

func (e chunks) send(p []byte) error { return e.w.Send(e.ctx, p) }

func (e chunks) flush() error { return nil }

func (e chunks) receive() ([]byte, error) { return e.r.Receive(e.ctx) }

// memfd has a message in a file in memory, that is sealed and passed along. Nobody
// can change it any more, and the receiver maps it.
type memfd struct {
	ctx    context.Context
	conn   *uds.Conn
	size   [8]byte
	fds    [1]int
	mapped []byte
}

// sealed is what a receiver that reads a mapping has to insist on.
const sealed = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

func openMemfd(ctx context.Context, _ Task, f *os.File) (end, error) {
	c, err := uds.FromFile(f)
	if err != nil {
		return nil, err
	}
	return &memfd{ctx: ctx, conn: c}, nil
}

func (m *memfd) room(size int) []byte { return make([]byte, size) }

func (m *memfd) flush() error { return nil }

func (m *memfd) send(p []byte) error {
	fd, err := unix.MemfdCreate("message", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	defer func() { _ = unix.Close(fd) }() // the receiver has its own
	for rest := p; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("write", err)
		}
		rest = rest[max(n, 0):]
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, sealed); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	binary.LittleEndian.PutUint64(m.size[:], uint64(len(p)))
	_, err = m.conn.SendFDs(m.ctx, m.size[:], fd)
	return err
}

func (m *memfd) receive() ([]byte, error) {
	if m.mapped != nil {
		if err := unix.Munmap(m.mapped); err != nil {
			return nil, os.NewSyscallError("munmap", err)
		}
		m.mapped = nil
	}
	n, nfds, err := m.conn.ReceiveFDs(m.ctx, m.size[:], m.fds[:])
	if err != nil {
		return nil, err
	}
	if n != len(m.size) || nfds != 1 {
		return nil, fmt.Errorf("ipc: %d bytes and %d descriptors; want %d and 1", n, nfds, len(m.size))
	}
	fd := m.fds[0]
	defer func() { _ = unix.Close(fd) }() // the mapping keeps the file
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&sealed != sealed {
		return nil, errors.Join(fmt.Errorf("ipc: seals %#x; want %#x", seals, sealed), err)
	}
	size := int(binary.LittleEndian.Uint64(m.size[:]))
	m.mapped, err = unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	return m.mapped, os.NewSyscallError("mmap", err)
}

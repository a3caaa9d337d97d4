//go:build linux

package uds

import (
	"encoding/binary"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// controlBuffer has room for the control messages of one message: credentials, and
// as many descriptors as there may be.
type controlBuffer [1200]byte

// controls are those that no call uses.
var controls = sync.Pool{New: func() any { return new(controlBuffer) }} //nolint:gochecknoglobals // shared by all sockets

// checkFDs tells whether n descriptors can go with p.
func checkFDs(kind Kind, p []byte, n int) error {
	switch {
	case n > MaxFDs:
		return fmt.Errorf("%d descriptors, a message carries %d: %w", n, MaxFDs, unix.EINVAL)
	case n > 0 && len(p) == 0 && kind == Stream:
		return fmt.Errorf("descriptors on a stream without a byte: %w", unix.EINVAL)
	}
	return nil
}

// rights returns the control message that carries fds, nil for none:
//
//	struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; /* data */ };
func (b *controlBuffer) rights(fds []int) []byte {
	if len(fds) == 0 {
		return nil
	}
	control := b[:unix.CmsgSpace(4*len(fds))]
	clear(control)
	if unix.SizeofPtr == 8 {
		binary.NativeEndian.PutUint64(control, uint64(unix.CmsgLen(4*len(fds))))
	} else {
		binary.NativeEndian.PutUint32(control, uint32(unix.CmsgLen(4*len(fds))))
	}
	binary.NativeEndian.PutUint32(control[unix.SizeofPtr:], unix.SOL_SOCKET)
	binary.NativeEndian.PutUint32(control[unix.SizeofPtr+4:], unix.SCM_RIGHTS)
	for i, fd := range fds {
		binary.NativeEndian.PutUint32(control[unix.CmsgLen(4*i):], uint32(fd))
	}
	return control
}

// room returns memory for the control messages of n descriptors, of credentials, and
// of the sender's pidfd: these come unasked if the socket has been told to pass them,
// and would take the others' place.
func (b *controlBuffer) room(n int) []byte {
	control := b[:unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(4*min(n, MaxFDs))+unix.CmsgSpace(4)]
	clear(control)
	return control
}

// deliver puts the descriptors of a received message into fds, all of them or none.
// There is room for credentials, too, which more descriptors may have taken than were
// asked for.
func deliver(n int, err error, control []byte, res result, fds []int) (int, int, error) {
	var memory [MaxFDs + 1]int
	came, _, _ := parseControl(memory[:0], control[:res.came])
	lost := res.marks&unix.MSG_CTRUNC != 0 || len(came) > len(fds)
	if err == nil && !lost {
		return n, copy(fds, came), nil
	}
	for _, fd := range came {
		_ = unix.Close(fd) // nobody else has it
	}
	if err == nil {
		err = ErrControl
	}
	return n, 0, err
}

// parseControl appends the descriptors among control messages to fds, and returns the
// credentials, if there are some.
func parseControl(fds []int, p []byte) (_ []int, cred Cred, told bool) {
	for len(p) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(p)
		if err != nil {
			return fds, cred, told // the kernel wrote it
		}
		p = rest
		switch {
		case h.Level != unix.SOL_SOCKET:
		case h.Type == unix.SCM_RIGHTS:
			for ; len(data) >= 4; data = data[4:] {
				fds = append(fds, int(int32(binary.NativeEndian.Uint32(data))))
			}
		case h.Type == unix.SCM_PIDFD && len(data) >= 4:
			// Not asked for, but by whoever made a socket that came from FromFile.
			_ = unix.Close(int(int32(binary.NativeEndian.Uint32(data))))
		case h.Type == unix.SCM_CREDENTIALS && len(data) >= unix.SizeofUcred:
			told = true
			cred = Cred{
				PID: int(int32(binary.NativeEndian.Uint32(data))),
				UID: int(binary.NativeEndian.Uint32(data[4:])),
				GID: int(binary.NativeEndian.Uint32(data[8:])),
			}
		}
	}
	return fds, cred, told
}

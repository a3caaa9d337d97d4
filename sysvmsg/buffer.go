//go:build linux

package sysvmsg

import (
	"encoding/binary"
	"sync"
)

const (
	defaultRoom = 8 << 10 // bytes: kernel.msgmax, unless somebody has changed it
	largestKept = 1 << 20 // bytes: larger buffers are made for one call
)

// A buffer has a message as the system calls want it,
//
//	struct msgbuf {
//		long mtype;
//		char mtext[];
//	};
type buffer struct{ mem []byte }

// buffers are those that no call uses.
var buffers = sync.Pool{New: func() any { return new(buffer) }} //nolint:gochecknoglobals // shared by all queues

// newBuffer returns a buffer for that many bytes of payload. The caller frees it.
func newBuffer(payload int) *buffer {
	b := buffers.Get().(*buffer)
	b.grow(payload)
	return b
}

// grow makes room for that many bytes of payload.
func (b *buffer) grow(payload int) {
	if len(b.mem) < wordSize+payload {
		b.mem = make([]byte, wordSize+max(payload, defaultRoom))
	}
}

// free gives b back.
func (b *buffer) free() {
	if len(b.mem) <= wordSize+largestKept {
		buffers.Put(b)
	}
}

// payload returns the bytes behind the type.
func (b *buffer) payload() []byte { return b.mem[wordSize:] }

func (b *buffer) setType(t Type) {
	if wordSize == 8 {
		binary.NativeEndian.PutUint64(b.mem, uint64(t))
	} else {
		binary.NativeEndian.PutUint32(b.mem, uint32(t))
	}
}

func (b *buffer) getType() Type {
	if wordSize == 8 {
		return Type(binary.NativeEndian.Uint64(b.mem))
	}
	return Type(int32(binary.NativeEndian.Uint32(b.mem)))
}

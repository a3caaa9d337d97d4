//go:build linux

package ipc

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// queues are the ways through a System V message queue.
func queues() map[string]opener {
	return map[string]opener{
		"msgsnd":  openMsgsnd,
		"sysvmsg": openSysvmsg,
	}
}

// msgsndEnd has bare system calls that block. A message is made, and used, where
// the kernel takes it from, and puts it.
type msgsndEnd struct {
	to, from int
	out, in  msgbuf
}

func openMsgsnd(_ context.Context, t Task, _ *os.File) (end, error) {
	return &msgsndEnd{to: t.Out, from: t.In, out: msgbuf{mtype: 1}}, nil
}

func (e *msgsndEnd) room(size int) []byte { return e.out.mtext[:size] }

func (e *msgsndEnd) send(p []byte) error {
	for {
		if err := msgsnd(e.to, &e.out, len(p)); err == 0 {
			return nil
		} else if err != unix.EINTR {
			return os.NewSyscallError("msgsnd", err)
		}
	}
}

func (e *msgsndEnd) flush() error { return nil }

func (e *msgsndEnd) receive() ([]byte, error) {
	for {
		n, err := msgrcv(e.from, &e.in)
		if err == 0 {
			return e.in.mtext[:n], nil
		} else if err != unix.EINTR {
			return nil, os.NewSyscallError("msgrcv", err)
		}
	}
}

// sysvmsgEnd has package sysvmsg.
type sysvmsgEnd struct {
	ctx      context.Context
	to, from *sysvmsg.Queue
	buf      []byte
}

func openSysvmsg(ctx context.Context, t Task, _ *os.File) (end, error) {
	to, err := sysvmsg.OpenID(t.Out)
	if err != nil {
		return nil, err
	}
	from, err := sysvmsg.OpenID(t.In)
	if err != nil {
		return nil, err
	}
	return &sysvmsgEnd{ctx, to, from, make([]byte, t.Size)}, nil
}

func (e *sysvmsgEnd) room(size int) []byte { return make([]byte, size) }

func (e *sysvmsgEnd) send(p []byte) error { return e.to.Send(e.ctx, 1, p) }

func (e *sysvmsgEnd) flush() error { return nil }

func (e *sysvmsgEnd) receive() ([]byte, error) {
	n, _, err := e.from.Receive(e.ctx, sysvmsg.Any(), e.buf)
	return e.buf[:n], err
}

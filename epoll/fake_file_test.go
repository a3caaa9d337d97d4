//go:build linux

package epoll

import (
	"golang.org/x/sys/unix"
)

// A fakeFile is a stream or a listening socket of a fakeKernel, and its peer.
type fakeFile struct {
	kernel  *fakeKernel
	refs    int  // numbers that stand for it
	foreign bool // the test's, not the Loop's
	changes int  // of what can be told, for edge-triggered interests

	in    []byte // sent by the peer, and not read
	eof   bool   // behind which the peer sends no more
	out   []byte // written, and not read by the peer
	space int    // bytes that can be written
	most  int    // of one read or write, if not 0
	shut  bool   // nothing will be written
	gone  bool   // the peer reads no more
	err   unix.Errno

	connecting     bool
	dropped        bool // closed with a reset
	closed         bool
	unacknowledged int

	backlog *[]*fakeFile // of a listening one
}

// newFakeFile returns a stream that takes 64 KiB before its peer has to read.
func newFakeFile() *fakeFile { return &fakeFile{space: 64 << 10} }

// newFakeListener returns a listening socket.
func newFakeListener() *fakeFile { return &fakeFile{backlog: new([]*fakeFile)} }

// state returns what holds.
func (f *fakeFile) state() Events {
	var e Events
	if f.backlog != nil {
		if len(*f.backlog) > 0 {
			e = Readable
		}
		return e
	}
	if f.connecting {
		return 0
	}
	if len(f.in) > 0 || f.eof || f.err != 0 {
		e |= Readable
	}
	if f.eof {
		e |= ReadHangup
	}
	if f.space > 0 || f.gone || f.err != 0 {
		e |= Writable
	}
	if f.gone || f.eof && f.shut {
		e |= Hangup
	}
	if f.err != 0 {
		e |= Failed
	}
	return e
}

// Of the peer.

func (f *fakeFile) send(p []byte) {
	f.in = append(f.in, p...)
	f.changes++
}

func (f *fakeFile) sendEOF() {
	f.eof = true
	f.changes++
}

// hangUp closes the peer, or ends it with an error: what it sent can be read still.
func (f *fakeFile) hangUp(err unix.Errno) {
	f.eof, f.gone, f.err, f.connecting = true, true, err, false
	f.changes++
}

// accepts has the peer answer.
func (f *fakeFile) accepts() {
	f.connecting = false
	f.changes++
}

// receive reads n bytes at most.
func (f *fakeFile) receive(n int) []byte {
	n = min(n, len(f.out))
	p := f.out[:n:n]
	f.out = f.out[n:]
	f.space += n
	f.changes++
	return p
}

// dial puts a connection in the backlog.
func (f *fakeFile) dial() *fakeFile {
	conn := newFakeFile()
	*f.backlog = append(*f.backlog, conn)
	f.changes++
	return conn
}

// part returns how many of n bytes one call gets.
func (f *fakeFile) part(n int) int {
	if f.most > 0 {
		n = min(n, f.most)
	}
	if n > 1 && f.kernel.luck(4) {
		n = 1 + f.kernel.chaos.IntN(n)
	}
	return n
}

// takeError returns the error that is pending, which is told once.
func (f *fakeFile) takeError() unix.Errno {
	n := f.err
	f.err = 0
	return n
}

// Of the Loop.

func (k *fakeKernel) read(fd int, p []byte) (int, unix.Errno) {
	f := k.file("read", fd)
	if n := k.scripted("read"); n != 0 {
		return 0, n
	}
	switch {
	case k.luck(8):
		return 0, unix.EAGAIN
	case len(f.in) > 0:
		n := copy(p[:f.part(len(p))], f.in)
		f.in = f.in[n:]
		return n, 0
	case f.err != 0:
		return 0, f.takeError()
	case f.eof:
		return 0, 0
	}
	return 0, unix.EAGAIN
}

func (k *fakeKernel) write(fd int, p []byte) (int, unix.Errno) {
	f := k.file("write", fd)
	return f.write(p)
}

func (k *fakeKernel) writev(fd int, ps [][]byte) (int, unix.Errno) {
	f := k.file("writev", fd)
	var all []byte
	for _, p := range ps {
		if len(all) <= f.space { // more is not taken
			all = append(all, p...)
		}
	}
	return f.write(all)
}

func (f *fakeFile) write(p []byte) (int, unix.Errno) {
	if len(p) == 0 {
		f.kernel.tb.Error("a write of no bytes")
	}
	if n := f.kernel.scripted("write"); n != 0 {
		return 0, n
	}
	switch {
	case f.err != 0:
		return 0, f.takeError()
	case f.gone || f.shut:
		return 0, unix.EPIPE
	case f.space == 0 || f.connecting || f.kernel.luck(8):
		return 0, unix.EAGAIN
	}
	n := f.part(min(len(p), f.space))
	f.out = append(f.out, p[:n]...)
	f.space -= n
	return n, 0
}

// someoneWaits is pending. Somebody does where accept was made to fail.
func (k *fakeKernel) someoneWaits(fd int) bool {
	f := k.file("poll", fd)
	return k.failing || len(*f.backlog) > 0
}

func (k *fakeKernel) accept(fd int) (int, unix.Errno) {
	f := k.file("accept", fd)
	n := k.scripted("accept")
	if k.failing = n != 0; k.failing {
		return -1, n
	}
	if len(*f.backlog) == 0 || k.luck(8) {
		return -1, unix.EAGAIN
	}
	conn := (*f.backlog)[0]
	*f.backlog = (*f.backlog)[1:]
	return k.open(conn), 0
}

// connect gets the socket that the package has made.
func (k *fakeKernel) connect(fd int, _ unix.Sockaddr) unix.Errno {
	if k.files[fd] == nil {
		k.adopt(fd, newFakeFile())
	}
	f := k.file("connect", fd)
	n := k.scripted("connect")
	f.connecting = n == unix.EINPROGRESS || n == unix.EALREADY || n == unix.EAGAIN
	return n
}

func (k *fakeKernel) shutdown(fd int) unix.Errno {
	f := k.file("shutdown", fd)
	if f.shut {
		k.tb.Errorf("descriptor %d is shut down twice", fd)
	}
	if n := k.scripted("shutdown"); n != 0 {
		return n
	}
	if f.gone {
		return unix.ENOTCONN
	}
	f.shut = true
	f.changes++
	return 0
}

func (k *fakeKernel) closeFD(fd int) unix.Errno {
	f := k.file("close", fd)
	if k.files[fd] == nil {
		return unix.EBADF
	}
	f.closed, f.connecting = true, false
	if len(f.in) > 0 { // the peer gets a reset, and loses what is on its way
		f.dropped, f.out = true, nil
	}
	if k.find(fd) != nil {
		k.tb.Errorf("descriptor %d is closed while it is watched", fd)
	}
	k.forget(fd)
	return k.scripted("close")
}

func (k *fakeKernel) reset(fd int) { k.file("reset", fd).dropped = true }

func (k *fakeKernel) soError(fd int) unix.Errno { return k.file("soError", fd).takeError() }

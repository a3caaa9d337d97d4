//go:build linux

package uds_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// memory returns a memfd of a page that has these seals, which is closed at the end.
func memory(tb testing.TB, seals int) (fd int) {
	tb.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	must(tb, err)
	tb.Cleanup(func() { must(tb, unix.Close(fd)) })
	must(tb, unix.Ftruncate(fd, 4096))
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	must(tb, err)
	return fd
}

// passed sends fd over a pair, and returns the receiver's descriptor, which is closed
// at the end.
func passed(tb testing.TB, fd int) int {
	tb.Helper()
	a, b := pair(tb, uds.SeqPacket)
	must(tb, second(a.SendFDs(patient(tb), nil, fd)))
	var fds [1]int
	if _, n, err := b.ReceiveFDs(patient(tb), nil, fds[:]); n != 1 || err != nil {
		tb.Fatalf("ReceiveFDs = %d, %v; want 1", n, err)
	}
	tb.Cleanup(func() { must(tb, unix.Close(fds[0])) })
	return fds[0]
}

// What a peer could still change is not mapped.
func TestUnsealedMemory(t *testing.T) {
	leaktest.Check(t)
	file, err := os.Create(place(t) + "/file")
	must(t, err)
	defer func() { must(t, file.Close()) }()
	for what, fd := range map[string]int{
		"no seals":          memory(t, 0),
		"no seal of writes": memory(t, seals&^unix.F_SEAL_WRITE),
		"no seal of size":   memory(t, seals&^unix.F_SEAL_SHRINK),
		"no seal of growth": memory(t, seals&^unix.F_SEAL_GROW),
		"no seal of seals":  memory(t, seals&^unix.F_SEAL_SEAL),
		"a file":            int(file.Fd()),
		"a device":          open(t, 1)[0],
	} {
		if p, err := mapSealed(passed(t, fd), 1<<20); p != nil || err == nil {
			t.Errorf("%s: mapped %d bytes, %v; want an error", what, len(p), err)
		}
	}
	if p, err := mapSealed(passed(t, memory(t, seals)), 4095); p != nil || !errors.Is(err, unix.EFBIG) {
		t.Errorf("too large: mapped %d bytes, %v; want EFBIG", len(p), err)
	}
}

// What is sealed neither end can change, and the receiver sees all of it.
func TestSealedMemory(t *testing.T) {
	leaktest.Check(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	fd, err := seal(content)
	must(t, err)
	defer func() { must(t, unix.Close(fd)) }()
	received := passed(t, fd)
	p, err := mapSealed(received, len(content))
	must(t, err)
	if !bytes.Equal(p, content) {
		t.Error("the content is not what was sent")
	}
	for whose, fd := range map[string]int{"the sender's": fd, "the receiver's": received} {
		if err := unix.Ftruncate(fd, 1); !errors.Is(err, unix.EPERM) {
			t.Errorf("Ftruncate of %s: %v, want EPERM", whose, err)
		}
		if err := unix.Ftruncate(fd, 1<<30); !errors.Is(err, unix.EPERM) {
			t.Errorf("Ftruncate of %s to more: %v, want EPERM", whose, err)
		}
		if _, err := unix.Pwrite(fd, []byte("x"), 0); !errors.Is(err, unix.EPERM) {
			t.Errorf("Pwrite of %s: %v, want EPERM", whose, err)
		}
		if _, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); !errors.Is(err, unix.EPERM) {
			t.Errorf("Mmap of %s to write: %v, want EPERM", whose, err)
		}
	}
	must(t, unix.Munmap(p))
}

// Whoever maps memory to write it cannot seal it.
func TestSealOfWritableMap(t *testing.T) {
	leaktest.Check(t)
	fd := memory(t, 0)
	p, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); !errors.Is(err, unix.EBUSY) {
		t.Errorf("F_ADD_SEALS with a writable map: %v, want EBUSY", err)
	}
	if p, err := mapSealed(passed(t, fd), 1<<20); p != nil || !errors.Is(err, unix.EPERM) {
		t.Errorf("mapped %d bytes, %v; want EPERM", len(p), err)
	}
	must(t, unix.Munmap(p))
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Errorf("F_ADD_SEALS: %v", err)
	}
}

//go:build linux

package epoll

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// A way of waiting that cannot begin has closed its descriptor, once and for all: a
// number that is closed again later, by a finalizer, is another's by then.
func TestWaiterThatFailsClosesItsDescriptorOnce(t *testing.T) {
	for name, begin := range map[string]func(fd int) error{
		"park":  func(fd int) error { _, err := newParker(fd); return err },
		"block": func(fd int) error { _, err := newBlocker(fd); return err },
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			file := filepath.Join(t.TempDir(), "file") // which nobody can wait for
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			open := func() int {
				fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				return fd
			}
			fd := open()
			if err := begin(fd); err == nil {
				t.Fatal("no error, where there is nothing to wait for")
			}
			heir := open()
			if heir != fd {
				t.Errorf("descriptor %d is open, or another has taken it", fd)
			}
			collect()
			if _, err := unix.FcntlInt(uintptr(heir), unix.F_GETFD, 0); err != nil {
				t.Fatalf("the next one to have the number finds it closed: %v", err)
			}
			_ = unix.Close(heir)
		})
	}
}

// collect has finalizers and cleanups run of what is garbage now.
func collect() {
	for range 3 {
		done := make(chan struct{})
		runtime.AddCleanup(new(*int), func(ch chan struct{}) { close(ch) }, done)
		runtime.GC()
		<-done
	}
}

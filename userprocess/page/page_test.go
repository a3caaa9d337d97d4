//go:build linux

package page_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/page"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children
	userprocess.Main(userprocess.Roles{"count": count})
	m.Run()
}

// rounds is how often each child counts.
const rounds = 1000

// count adds to all words of the page that it has.
func count(_ context.Context, c *userprocess.Child) error {
	f, err := c.File("page")
	if err != nil {
		return err
	}
	p, err := page.FromFile(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for range rounds {
		for i := range p.Words() {
			p.Words()[i].Add(int64(i) << 30)
		}
	}
	return p.Close()
}

func TestProcessesCountTogether(t *testing.T) {
	leaktest.Check(t)
	const words, processes = 1000, 4
	p, err := page.New(words)
	if err != nil {
		t.Fatal(err)
	}
	command := &userprocess.Command{Role: "count", Files: map[string]syscall.Conn{"page": p}}
	var all sync.WaitGroup
	for range processes {
		child, err := command.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if e, err := child.Wait(); !e.OK() || err != nil {
				t.Errorf("%v: %v, %v", child, e, err)
			}
		})
	}
	all.Wait()
	if len(p.Words()) != words {
		t.Errorf("%d words, want %d", len(p.Words()), words)
	}
	for i := range p.Words() {
		if got, want := p.Words()[i].Load(), int64(i)<<30*rounds*processes; got != want {
			t.Errorf("word %d: %d, want %d", i, got, want)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
}

// Nobody who has the file can take memory away from the others.
func TestSizeIsSealed(t *testing.T) {
	leaktest.Check(t)
	p, err := page.New(1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for _, size := range []int64{0, 4, 1 << 20} {
			if err := unix.Ftruncate(int(fd), size); err != unix.EPERM {
				t.Errorf("ftruncate to %d bytes: %v, want %v", size, err, unix.EPERM)
			}
		}
	})
	if err := errors.Join(err, p.Close()); err != nil {
		t.Error(err)
	}
}

func TestNoPage(t *testing.T) {
	leaktest.Check(t)
	for _, words := range []int{-1, 0, page.MaxWords + 1} {
		if _, err := page.New(words); err == nil || !strings.Contains(err.Error(), fmt.Sprint(words)) {
			t.Errorf("New(%d): %v", words, err)
		}
	}
	for name, test := range map[string]struct {
		size, seals int
		want        string
	}{
		"no seals":  {4096, 0, "seals 0x0"},
		"may grow":  {4096, unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL, "seals 0x3"},
		"empty":     {0, unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL, "0 bytes"},
		"odd":       {4097, unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL, "4097 bytes"},
		"too large": {(page.MaxWords + 1) * 8, unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL, "bytes"},
	} {
		fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), name)
		_, sealErr := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, 0)
		err = errors.Join(sealErr, f.Truncate(int64(test.size)))
		if err == nil {
			_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, test.seals)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := page.FromFile(f); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, test.want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := page.FromFile(f); !errors.Is(err, net.ErrClosed) {
			t.Errorf("FromFile of a closed file: %v", err)
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := page.FromFile(null); err == nil || !strings.Contains(err.Error(), "not a memfd") {
		t.Errorf("FromFile(%s): %v", os.DevNull, err)
	}
	if err := null.Close(); err != nil {
		t.Error(err)
	}
}

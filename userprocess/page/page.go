//go:build linux

package page

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// MaxWords is how many words a Page can have: 128 MiB.
const MaxWords = 1 << 24

// wordSize is the size of a word, in bytes.
const wordSize = 8

// seals keep the size as it is, for everybody.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// A Page is an array of words in shared memory.
type Page struct {
	f     *os.File
	words []atomic.Int64

	mu     sync.Mutex
	memory []byte // nil when closed
}

// New returns a Page of so many words, 1 to MaxWords, which are zero. The error says
// that the number is out of range, or is that of a system call.
func New(words int) (*Page, error) {
	if words < 1 || words > MaxWords {
		return nil, fmt.Errorf("page: %d words, want 1 to %d", words, MaxWords)
	}
	fd, err := unix.MemfdCreate("page", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("page: %w", os.NewSyscallError("memfd_create", err))
	}
	f := os.NewFile(uintptr(fd), "page")
	if err := f.Truncate(int64(words) * wordSize); err != nil {
		return nil, errors.Join(fmt.Errorf("page: %w", err), f.Close())
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, errors.Join(fmt.Errorf("page: %w", os.NewSyscallError("fcntl", err)), f.Close())
	}
	return open(f, fd)
}

// FromFile returns the Page that another process has made with New, and passed on.
// The file stays the caller's, to be closed. A file of any other kind, or size, is an
// error.
func FromFile(file syscall.Conn) (*Page, error) {
	fd, err := uds.Duplicate(file)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return open(os.NewFile(uintptr(fd), "page"), fd)
}

// open maps f, which it owns, and whose descriptor is fd.
func open(f *os.File, fd int) (*Page, error) {
	size, err := sealedSize(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("page: %w", err), f.Close())
	}
	memory, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("page: %w", os.NewSyscallError("mmap", err)), f.Close())
	}
	return &Page{f: f, memory: memory, words: wordsOf(memory)}, nil
}

// sealedSize returns the size of a Page's file, which nobody can change.
func sealedSize(fd int) (int, error) {
	got, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return 0, fmt.Errorf("not a memfd: %w", os.NewSyscallError("fcntl", err))
	}
	if got&seals != seals {
		return 0, fmt.Errorf("a memfd with seals %#x, want %#x", got, seals)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, os.NewSyscallError("fstat", err)
	}
	if st.Size < wordSize || st.Size > MaxWords*wordSize || st.Size%wordSize != 0 {
		return 0, fmt.Errorf("a memfd of %d bytes, want words of %d, up to %d", st.Size, wordSize, MaxWords)
	}
	return int(st.Size), nil
}

// Words returns the words, which are valid until Close: later use ends the program
// with SIGSEGV.
func (p *Page) Words() []atomic.Int64 { return p.words }

// SyscallConn gives access to the descriptor, for a process that is to share the
// Page. See [syscall.Conn].
func (p *Page) SyscallConn() (syscall.RawConn, error) { return p.f.SyscallConn() }

// Close unmaps the memory, which stays that of others who have it. A second Close
// returns os.ErrClosed.
func (p *Page) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.memory == nil {
		return os.ErrClosed
	}
	err := os.NewSyscallError("munmap", unix.Munmap(p.memory))
	p.memory, p.words = nil, nil
	return errors.Join(err, p.f.Close())
}

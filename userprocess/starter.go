//go:build linux

package userprocess

import (
	"math"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A starter starts all children from one thread, which is there as long as any of
// them: the kernel sends PR_SET_PDEATHSIG when the thread ends that started a
// child, not its process.
type starter struct {
	mu    sync.Mutex
	users int // children, and those who start one
	jobs  chan func()
	pids  map[int]bool // children that are not reaped
}

// children starts those of this process.
var children starter //nolint:gochecknoglobals // threads belong to the process, and so does PR_SET_PDEATHSIG

// enter has the thread stay until leave.
func (s *starter) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	if s.users == 1 {
		s.jobs, s.pids = make(chan func()), make(map[int]bool)
		go serve(s.jobs) // ends when the last user leaves
	}
}

func (s *starter) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users == 0 {
		close(s.jobs)
	}
}

// start starts a child in the thread. Nobody sees the child before it is noted whose
// it is.
func (s *starter) start(path string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	s.do(func() {
		closeOnExec()
		s.mu.Lock()
		defer s.mu.Unlock()
		if pid, err = syscall.ForkExec(path, argv, attr); err == nil {
			s.pids[pid] = true
		}
	})
	return pid, err
}

// reaped notes that the number is free.
func (s *starter) reaped(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pids, pid)
}

// has reports whether pid is a child that was started here.
func (s *starter) has(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pids[pid]
}

// do calls job in the thread. The caller has entered.
func (s *starter) do(job func()) {
	s.mu.Lock()
	jobs := s.jobs
	s.mu.Unlock()
	done := make(chan struct{})
	jobs <- func() {
		defer close(done)
		job()
	}
	<-done
}

func serve(jobs <-chan func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for job := range jobs {
		job()
	}
}

// closeOnExec makes every descriptor close-on-exec but the standard ones: what other
// code has opened must not leak. Those that a child is to have are copied in it.
func closeOnExec() {
	syscall.ForkLock.Lock() // for Child.Exec has some that must stay open
	defer syscall.ForkLock.Unlock()
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) // Linux ≥ 5.11
}

//go:build linux

package nofork

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// spare is how many threads there are at least before none can be started.
const spare = 16

// Begin has no process or thread start any more, until end is called.
func Begin() (end func() error, err error) {
	if err := startThreads(); err != nil {
		return nil, err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		return nil, os.NewSyscallError("getrlimit", err)
	}
	none := unix.Rlimit{Cur: 1, Max: limit.Max} // there is this one
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &none); err != nil {
		return nil, os.NewSyscallError("setrlimit", err)
	}
	return func() error {
		return os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_NPROC, &limit))
	}, nil
}

// startThreads has some goroutines block in system calls, all at a time, so that each
// has a thread.
func startThreads() error {
	ends := make([]int, 2)
	if err := unix.Pipe2(ends, unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	done := make(chan error, spare)
	for range spare {
		go func() { // ends when the pipe does
			_, err := unix.Read(ends[0], make([]byte, 1))
			done <- err
		}()
	}
	var err error
	for tasks := 0; err == nil && tasks < spare; {
		var all []os.DirEntry
		all, err = os.ReadDir("/proc/self/task")
		tasks = len(all)
	}
	err = errors.Join(err, unix.Close(ends[1]))
	for range spare {
		err = errors.Join(err, <-done)
	}
	return errors.Join(err, unix.Close(ends[0]))
}

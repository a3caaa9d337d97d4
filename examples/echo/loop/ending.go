//go:build linux

package loop

import "golang.org/x/sys/unix"

// An Ending is the end of a connection that is to come: when all is answered that it has
// in hand, or that has arrived by then.
type Ending struct {
	begun bool
	left  int // bytes that have arrived, and are not read
}

// Now begins it. What is not read any more does not count.
func (e *Ending) Now() { e.begun, e.left = true, 0 }

// Soon begins it with what has arrived at fd.
func (e *Ending) Soon(fd int) {
	e.begun = true
	e.left, _ = unix.IoctlGetInt(fd, unix.SIOCINQ) // 0 if that fails
}

// Read tells that so many bytes were read.
func (e *Ending) Read(n int) { e.left -= n }

// Due reports whether it has begun, and nothing is left to be read.
func (e *Ending) Due() bool { return e.begun && e.left <= 0 }

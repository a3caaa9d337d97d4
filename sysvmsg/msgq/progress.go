//go:build linux

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// progressPause is the least time from one line of progress to the next.
const progressPause = 500 * time.Millisecond

// A progress counts messages, and tells how many there are: on a terminal, in one
// line that changes; elsewhere only if it was asked for.
type progress struct {
	asked    bool
	w        io.Writer // nil: nobody wants to know
	terminal bool
	verb     string
	n        int
	shown    int
	next     time.Time
}

func (p *progress) flags(flags *flag.FlagSet) {
	flags.BoolVar(&p.asked, "progress", false, "tell how many messages it is, on standard error, terminal or not")
}

// start begins to count.
func (p *progress) start(w io.Writer, verb string) {
	p.terminal = isTerminal(w)
	if p.terminal || p.asked {
		p.w = w
	}
	p.verb, p.next = verb, time.Now().Add(progressPause)
}

// step counts one message.
func (p *progress) step() {
	p.n++
	if p.w == nil {
		return
	}
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(progressPause)
		p.show()
	}
}

// finish tells the last count, if others were told or asked for.
func (p *progress) finish() {
	if p.w == nil || p.shown == 0 && !p.asked {
		return
	}
	if p.shown != p.n || p.n == 0 {
		p.show()
	}
	if p.terminal {
		_, _ = io.WriteString(p.w, "\n") // it is for people only
	}
}

func (p *progress) show() {
	p.shown = p.n
	format := "msgq: %s %d messages\n"
	if p.terminal {
		format = "\rmsgq: %s %d messages"
	}
	_, _ = fmt.Fprintf(p.w, format, p.verb, p.n) // it is for people only
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	terminal := false
	err = raw.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = err == nil
	})
	return err == nil && terminal
}

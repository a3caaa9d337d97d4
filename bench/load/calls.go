//go:build linux

package load

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// SystemCalls is a benchmark of how many system calls of any kind a server makes
// for a request, by strace(1), without which it is skipped. An operation is a
// request of a server that is slow in this way. What a server makes before and
// behind them is counted by itself, and left out.
func SystemCalls(b *testing.B, server, network string, l Load) {
	b.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		b.Skip("there is no strace here: ", err)
	}
	few, without, err := traced(b, strace, server, network, l, func(*Client) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	many, with, err := traced(b, strace, server, network, l, func(c *Client) error {
		for b.Loop() {
			if err := c.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(with-without)/float64(max(many-few, 1)), "syscalls/req")
}

// traced returns how many requests a server answers and how many system calls it
// makes in its whole life, in which give is called.
func traced(b *testing.B, strace, server, network string, l Load, give func(*Client) error) (requests, calls int, err error) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "summary")
	p, err := Start(server, network, strace, "-f", "-c", "-U", "calls,name", "-o", file)
	if err != nil {
		return 0, 0, err
	}
	requests, err = lifetime(p, l, give)
	if err := errors.Join(err, p.Close()); err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[1] == "total" {
			calls, err = strconv.Atoi(f[0])
			return requests, calls, err
		}
	}
	return 0, 0, fmt.Errorf("load: no total in %q", text)
}

// lifetime gives p load between one that warms it and its end.
func lifetime(p *Process, l Load, give func(*Client) error) (requests int, err error) {
	c, err := Dial(p, l)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := errors.Join(c.Warm(), c.Begin(), give(c), c.Finish()); err != nil {
		return 0, err
	}
	return c.Answered(), nil
}

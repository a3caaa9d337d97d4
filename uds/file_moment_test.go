//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// At no moment has the file more permissions than in the end. A child without an
// umask binds and closes again and again, while the test looks.
func TestModeIsNeverWider(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/socket"
	c := startChild(t, "rebind", []string{path})
	c.expect(t, "ready")
	var seen fs.FileMode
	ctx := patient(t)
	for looks := 0; looks < 20_000; {
		var st unix.Stat_t
		if unix.Lstat(path, &st) == nil {
			seen |= fs.FileMode(st.Mode) & 0o777
			looks++
		}
		if ctx.Err() != nil {
			t.Fatalf("the file was seen %d times", looks)
		}
	}
	if seen&^0o640 != 0 {
		t.Errorf("permissions at all moments: %o, want 0640 at most", seen)
	}
}

// rebind is a child that binds and closes until its input ends.
func rebind(args []string) error {
	syscall.Umask(0)
	var over atomic.Bool
	go func() {
		_, _ = hear() // the end
		over.Store(true)
	}()
	if err := say("ready"); err != nil {
		return err
	}
	for i := 0; !over.Load(); i++ {
		s, err := listenAny(kinds()[i%3], args[0], &uds.ListenOptions{Mode: 0o640})
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// many is how many sockets a test has for the moment at which each can be connected to.
const many = 250

// The first who can connect finds the file with its mode, in both directions: a
// child under a strict umask listens at one path after the other, and the test
// connects as early as it can.
func TestModeIsThereFirst(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	ctx := patient(t)
	c := startChild(t, "bind many", []string{dir})
	for i := range many {
		path := dir + "/" + strconv.Itoa(i)
		kind := []uds.Kind{uds.Stream, uds.SeqPacket}[i%2]
		for {
			conn, err := uds.Dial(ctx, kind, path)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
				continue
			}
			must(t, err)
			got := modeOf(path)
			must(t, conn.Close())
			if got != fs.ModeSocket|0o666 {
				t.Fatalf("%s: mode after Dial = %v, want 0666", kind, got)
			}
			break
		}
	}
	c.expect(t, "ready")
}

// bindMany is a child that listens many times, and closes at its end.
func bindMany(args []string) error {
	syscall.Umask(0o177)
	for i := range many {
		kind := []uds.Kind{uds.Stream, uds.SeqPacket}[i%2]
		l, err := uds.Listen(kind, args[0]+"/"+strconv.Itoa(i), &uds.ListenOptions{Mode: 0o666})
		if err != nil {
			return fmt.Errorf("socket %d: %w", i, err)
		}
		defer func() { _ = l.Close() }() // the directory is removed anyway
	}
	return hold(nil)
}

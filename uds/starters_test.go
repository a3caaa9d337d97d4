//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

const (
	starters = 20 // processes
	rounds   = 60 // of a race
)

// Of many processes that start on one path at once, exactly one succeeds, and from
// then on clients reach it, whatever the others try.
func TestStarters(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	r, w, err := os.Pipe()
	must(t, err)
	defer func() { _, _ = r.Close(), w.Close() }() // not written to
	children := make([]*child, starters)
	for i := range children {
		children[i] = startChild(t, "starter", []string{dir}, r)
	}
	for _, c := range children {
		c.expect(t, "ready")
	}
	for round := range rounds {
		kind := kinds()[round%3]
		path := dir + "/" + strconv.Itoa(round)
		if round%4 != 0 {
			leave(t, kind, path)
		}
		raceStarters(t, children, w, kind, round, path)
	}
}

// raceStarters lets the children race for path, with a client at it all the time.
func raceStarters(t *testing.T, children []*child, gun io.Writer, kind uds.Kind, round int, path string) {
	t.Helper()
	for _, c := range children {
		c.tell(t, fmt.Sprint(int(kind), round))
		c.expect(t, "set")
	}
	var won atomic.Bool
	ctx, cancel := context.WithCancel(patient(t))
	var client sync.WaitGroup
	client.Go(func() { knock(ctx, t, kind, path, &won) })
	_, err := gun.Write(make([]byte, len(children))) // a byte for each
	must(t, err)
	winner, lines := -1, make(map[string]int)
	for i, c := range children {
		line := c.line(t)
		if lines[line]++; line == "won" {
			won.Store(true)
			winner = i
		}
	}
	cancel()
	client.Wait()
	if lines["won"] != 1 || lines["in use"] != len(children)-1 {
		t.Errorf("round %d, %s: %v; want one that won", round, kind, lines)
	}
	if winner >= 0 {
		c, err := uds.Dial(patient(t), kind, path)
		must(t, err)
		must(t, c.Close())
	}
	for _, c := range children {
		c.tell(t, "next")
	}
	for _, c := range children {
		c.expect(t, "ready")
	}
	if modeOf(path) != fs.ModeIrregular || modeOf(path+".uds-lock") != fs.ModeIrregular {
		t.Errorf("round %d, %s: a file is left", round, kind)
	}
}

// knock dials until ctx ends. Once it got through, or won says that somebody has
// the name, it gets through every time.
func knock(ctx context.Context, t *testing.T, kind uds.Kind, path string, won *atomic.Bool) {
	t.Helper()
	for range 4000 { // the backlog has an end
		sure := won.Load()
		c, err := uds.Dial(ctx, kind, path)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			won.Store(true)
			_ = c.Close() // nothing was sent
		case sure:
			t.Errorf("%s: Dial after a success: %v", kind, err)
			return
		}
	}
}

// starter is a child that tries to listen, round by round.
func starter(args []string) error {
	for {
		if err := say("ready"); err != nil {
			return err
		}
		line, err := hear()
		if err != nil {
			return nil // the end
		}
		kind, round, _ := strings.Cut(line, " ")
		k, err := strconv.Atoi(kind)
		if err != nil {
			return err
		}
		if err := say("set"); err != nil {
			return err
		}
		if _, err := unix.Read(3, make([]byte, 1)); err != nil {
			return err
		}
		s, err := listenAny(uds.Kind(k), args[0]+"/"+round, nil)
		verdict := "won"
		if errors.Is(err, unix.EADDRINUSE) {
			verdict = "in use"
		} else if err != nil {
			verdict = err.Error()
		}
		if err := say(verdict); err != nil {
			return err
		}
		if _, err := hear(); err != nil {
			return err
		}
		if s != nil {
			if err := s.Close(); err != nil {
				return err
			}
		}
	}
}

// Servers that come and go on one path are never two at a time, and who has the name
// is reached by it.
func TestListenAgainstClose(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/socket"
	var holders, turns atomic.Int32
	var servers sync.WaitGroup
	ctx := patient(t)
	for range 4 {
		servers.Go(func() {
			for turns.Load() < 400 && ctx.Err() == nil && !t.Failed() {
				if comeAndGo(ctx, t, path, &holders) {
					turns.Add(1)
				}
			}
		})
	}
	servers.Wait()
	must(t, ctx.Err())
	if got := modeOf(path); got != fs.ModeIrregular {
		t.Errorf("mode after all have closed = %v, want no file", got)
	}
}

// comeAndGo listens for a moment, if nobody else does.
func comeAndGo(ctx context.Context, t *testing.T, path string, holders *atomic.Int32) bool {
	t.Helper()
	l, err := uds.Listen(uds.Stream, path, nil)
	if err != nil {
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("Listen: %v, want EADDRINUSE", err)
		}
		return false
	}
	if n := holders.Add(1); n != 1 {
		t.Errorf("%d have the name", n)
	}
	c, err := uds.Dial(ctx, uds.Stream, path)
	if err != nil {
		t.Errorf("Dial of the server that has the name: %v", err)
	} else if err := c.Close(); err != nil {
		t.Error(err)
	}
	holders.Add(-1) // another one can have the name before Close returns
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	return true
}

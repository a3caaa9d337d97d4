//go:build linux

package uds_test

import (
	"errors"
	"io/fs"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Who may not write to the file cannot connect or send.
func TestModeForbids(t *testing.T) {
	root(t)
	leaktest.Check(t)
	dir := openPlace(t)
	for _, kind := range kinds() {
		for mode, want := range map[fs.FileMode]string{0: "EACCES", 0o660: "EACCES", 0o606: "connected"} {
			path := dir + "/" + kind.String() + strconv.Itoa(int(mode))
			s, err := listenAny(kind, path, &uds.ListenOptions{Mode: mode})
			must(t, err)
			c := startChild(t, "dial as nobody", []string{strconv.Itoa(int(kind)), path})
			if got := c.line(t); got != want {
				t.Errorf("%s: Dial of a socket of mode %o by another user: %s, want %s", kind, mode, got, want)
			}
			c.end(t)
			must(t, s.Close())
		}
	}
}

// dialAsNobody is a child without rights that says what became of its Dial.
func dialAsNobody(args []string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	kind, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	c, err := uds.Dial(ctx, uds.Kind(kind), args[1])
	switch {
	case errors.Is(err, unix.EACCES):
		return say("EACCES")
	case err != nil:
		return err
	}
	if err := say("connected"); err != nil {
		return err
	}
	_, _ = hear() // the parent looks at the connection
	return c.Close()
}

//go:build linux

package epoll_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/plait-go/plait/epoll"
)

// childVariable is the environment variable that makes this program a child of
// its tests.
const childVariable = "EPOLL_TEST_CHILD"

// TestMain runs the tests, or is one of the programs that they start.
func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		m.Run()
		return
	}
	if err := impersonate(name, os.Args[1]); err != nil {
		panic(fmt.Sprintf("child %s: %v", name, err))
	}
}

// impersonate is the program called name. How its Loop waits is its argument.
func impersonate(name, waiting string) error {
	w, err := strconv.Atoi(waiting)
	if err != nil {
		return err
	}
	l, err := epoll.New(&epoll.Options{Waiting: epoll.Waiting(w)})
	if err != nil {
		return err
	}
	switch name {
	case "hold":
		err = hold()
	case "echo":
		err = serve(l, &epoll.Handler{Data: echo})
	case "greet":
		err = serve(l, &epoll.Handler{Opened: welcome, Data: echo})
	case "starve":
		err = starve(l)
	case "starve at the edge":
		err = starveAtTheEdge(l)
	default:
		err = fmt.Errorf("no such child")
	}
	return err
}

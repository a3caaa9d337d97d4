//go:build linux

package sysvmsg_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
)

// childVariable is the environment variable that makes this program a child of its
// tests.
const childVariable = "SYSVMSG_TEST_CHILD"

// TestMain runs the tests, or is one of the programs that they start.
func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		m.Run()
		return
	}
	if err := impersonate(name, os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "child %s: %v\n", name, err)
		os.Exit(1) //nolint:forbidigo // this is the end of main
	}
}

// impersonate is the program called name, about the queue that has this ID.
func impersonate(name, id string) error {
	n, err := strconv.Atoi(id)
	if err != nil {
		return err
	}
	switch name {
	case "limits":
		return narrowLimits()
	case "owner":
		return ownQueue()
	case "stranger":
		return strangeQueue(n)
	case "leave":
		return leaveMessages(sysvmsg.Key(n))
	}
	q, err := sysvmsg.OpenID(n)
	if err != nil {
		return err
	}
	switch name {
	case "number":
		return sendNumbers(q)
	case "take":
		return takeOne(q)
	case "work":
		return workOff(q)
	}
	return fmt.Errorf("no such child")
}

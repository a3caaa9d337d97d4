//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// childVariable is the environment variable that makes this program a child of
// its tests.
const childVariable = "UDS_TEST_CHILD"

// TestMain runs the tests, or is one of the programs that they start.
func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		m.Run()
		return
	}
	err := errors.New("there is no such child")
	if program := children()[name]; program != nil {
		err = program(os.Args[1:])
	}
	if err != nil {
		panic(fmt.Sprintf("child %s: %v", name, err))
	}
}

// children returns the programs that this one can be, by name.
func children() map[string]func(args []string) error {
	return map[string]func(args []string) error{
		"descriptors":                listDescriptors,
		"dial as nobody":             dialAsNobody,
		"few descriptors":            fewDescriptors,
		"give away":                  giveAway,
		"hold":                       hold,
		"accept":                     acceptChild,
		"accept without descriptors": acceptWithoutDescriptors,
		"hand over":                  handOver,
		"receive at the limit":       receiveAtLimit,
		"send too many":              sendTooMany,
		"dial":                       dialChild,
		"send":                       sendChild,
		"whose":                      whose,
		"close":                      closeChild,
		"listen":                     listenChild,
		"listen as nobody":           listenAsNobody,
		"lock":                       lockFile,
		"starter":                    starter,
		"modes":                      modes,
		"numbered":                   numberedChild,
		"take":                       takeChild,
		"tell":                       tellChild,
		"rebind":                     rebind,
		"bind many":                  bindMany,
	}
}

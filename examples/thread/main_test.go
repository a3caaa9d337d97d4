//go:build linux

package main

import (
	"os"
	"testing"
)

// asServer in the environment makes the test binary the server: the tests run
// it as a program of its own, built as they are, with -race or without.
const asServer = "THREAD_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	os.Exit(m.Run())
}

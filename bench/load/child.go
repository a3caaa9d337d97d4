//go:build linux

package load

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
)

// serverKey is the environment variable that names the server a child is.
const serverKey = "PLAIT_LOAD_SERVER"

// Descriptors of a child, behind the three that every process has.
const (
	listener = 3 // the socket that it listens on
	teller   = 4 // a pipe to the one who started it
)

// A Server serves a listening socket, whose descriptor it owns, and calls ready
// when it does. It returns when it cannot; otherwise it ends with its process.
type Server func(ln int, ready func()) error

// Child runs the server that this process was started as, until the one who
// started it is done, and reports whether it was started as one.
func Child(servers map[string]Server) bool {
	name, ok := os.LookupEnv(serverKey)
	if !ok {
		return false
	}
	out := os.NewFile(teller, "teller")
	say := func(line string) { _, _ = io.WriteString(out, line+"\n") } // nobody else could be told
	serve, ok := servers[name]
	if !ok {
		say("there is no server " + name)
		return true
	}
	go func() { // ends with the process
		if err := serve(listener, func() { say(ready) }); err != nil {
			say(err.Error())
		}
	}()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		heap, objects := used()
		say(fmt.Sprintf(memory, heap, objects))
	}
	return true
}

// What a child says to the one who started it, a line each.
const (
	ready  = "ready"
	memory = "%d bytes in %d objects"
)

// used returns what is in use of the heap.
func used() (heap, objects uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // frees what finalizers held
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.HeapObjects
}

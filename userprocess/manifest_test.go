//go:build linux

package userprocess

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// No environment makes a child panic, and what is decoded encodes to the same.
func FuzzManifest(f *testing.F) {
	f.Add(`{"role":"echo","args":["a"],"fds":["lifeline","pipe"]}`)
	f.Add(`{"fds":["report"],"launch":{"path":"/bin/sh","argv":["sh"],"rlimits":[{"Resource":7,"Soft":1,"Hard":2}],"affinity":[0]}}`)
	f.Add(`{"fds":[],"launch":{}}`)
	f.Add(`null`)
	f.Add(`{"fds":null}{`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := decode(text)
		if err != nil {
			return
		}
		if m.Launch != nil && len(m.FDs) == 0 {
			t.Errorf("%q has no report", text)
		}
		encoded, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(strings.TrimPrefix(encoded, marker+"="))
		if diff := cmp.Diff(m, again); err != nil || diff != "" {
			t.Errorf("%q: %v, %s", text, err, diff)
		}
	})
}

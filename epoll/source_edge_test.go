//go:build linux

package epoll

import (
	"errors"
	"os"
	"testing"
)

// A Source says that its Loop has ended whatever it is asked for, with the same
// events as before, too: nobody would notice otherwise that nothing is watched.
func TestSetAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(l *Loop) error{
		"Run":   func(l *Loop) error { l.Stop(); return l.Run(t.Context()) },
		"Close": (*Loop).Close,
	} {
		t.Run(name, func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			fd, _ := k.pipeEnd()
			s, err := l.Add(fd, Readable, func(Events) {})
			if err != nil {
				t.Fatal(err)
			}
			if err := end(l); err != nil {
				t.Fatalf("%s = %v", name, err)
			}
			for _, e := range []Events{Readable, Writable, 0} {
				if err := s.Set(e); !errors.Is(err, os.ErrClosed) {
					t.Errorf("Set(%v) = %v, want %v", e, err, os.ErrClosed)
				}
			}
			if err := s.Remove(); err != nil {
				t.Errorf("Remove = %v, want nil", err)
			}
		})
	}
}

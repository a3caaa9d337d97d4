//go:build linux

package epoll

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A closed Conn waits for its peer: a second for one that has received everything
// and says nothing, and Limits.Close for one that has not, or is sending still.
// An end before that would take back what is on its way.
func TestCloseGivesThePeerItsTime(t *testing.T) {
	const bound = 10 * time.Second
	for name, test := range map[string]struct {
		write    int                // bytes, before Close
		peer     func(fd int) error // each 500 ms
		from, to time.Duration
		late     bool
	}{
		"does nothing":   {0, func(int) error { return nil }, linger, linger + linger/8, false},
		"reads nothing":  {100, func(int) error { return nil }, bound, bound + bound/8, true},
		"keeps sending":  {0, func(fd int) error { _, err := unix.Write(fd, []byte("x")); return err }, bound, bound + bound/8, false},
		"closes in time": {0, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) }, 500 * time.Millisecond, 500 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			ways(t, func(t *testing.T, l *Loop) {
				c := setClock(l)
				var at time.Duration
				var why error
				conn, peer := couple(t, l, &Handler{Limits: &Limits{Close: bound}, Closed: func(_ *Conn, reason error) { at, why = c.since(), reason }})
				own := errors.New("own")
				_, err := conn.Write(make([]byte, test.write))
				if err := errors.Join(err, conn.Close(own)); err != nil {
					t.Fatal(err)
				}
				l.Every(500*time.Millisecond, func() {
					if err := test.peer(peer); err != nil && at == 0 {
						t.Error(err)
					}
				})
				roundsUntil(t, l, c, 2*bound)
				if at < test.from || at > test.to+time.Millisecond {
					t.Errorf("closed after %v, want between %v and %v", at, test.from, test.to)
				}
				if !errors.Is(why, own) || errors.Is(why, os.ErrDeadlineExceeded) != test.late || strings.Contains(why.Error(), "\n") {
					t.Errorf("Closed with %q, want own, and one line; that bytes were not sent in time: %v", why, test.late)
				}
			})
		})
	}
}

//go:build linux

package epoll_test

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Whoever pauses one Conn because another is Full waits for Drained. It has to
// come also when everything leaves as soon as the callback returns, or when the
// Conn that is Full has not been opened yet: nobody would resume the first.
func TestDrainedComesWhenever(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		limits := &epoll.Limits{HighWater: 1000}
		var source, sink *epoll.Conn
		paused := 0
		in, client := unixPeer(t, unix.SOCK_STREAM)
		out, server := unixPeer(t, unix.SOCK_STREAM)
		sink, err := l.Attach(out, &epoll.Handler{Limits: limits, Drained: func(*epoll.Conn) error { source.Resume(); return nil }})
		must(t, err)
		source, err = l.Attach(in, &epoll.Handler{Limits: limits, Data: func(c *epoll.Conn, p []byte) error {
			_, err := sink.Write(p)
			if sink.Full() {
				paused++
				c.Pause()
			}
			return err
		}})
		must(t, err)
		if _, err := sink.Write(make([]byte, 1001)); err != nil || !sink.Full() {
			t.Errorf("Write(1001 bytes) = %v, and Full is %v; want nil, true", err, sink.Full())
		}
		stop := run(t, l)
		_, err = io.ReadFull(server, make([]byte, 1001))
		must(t, err)
		for i := range 3 {
			sent := bytes.Repeat([]byte{byte(i)}, 2000)
			_, err := client.Write(sent)
			must(t, err)
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("part %d did not come through: %v", i, err)
			}
		}
		stop()
		if paused < 3 {
			t.Errorf("the source was paused %d times, want 3 at least", paused)
		}
	})
}

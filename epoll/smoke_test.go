//go:build linux

package epoll_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/plait-go/plait/epoll"
)

func echo(c *epoll.Conn, p []byte) error {
	_, err := c.Write(p)
	return err
}

func TestEcho(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		closed := make(chan error, 1)
		_, err := l.Attach(fd, &epoll.Handler{Data: echo, Closed: func(_ *epoll.Conn, reason error) { closed <- reason }})
		if err != nil {
			t.Fatal(err)
		}
		run(t, l)
		sent := bytes.Repeat([]byte("0123456789"), 100_000)
		go func() {
			_, _ = peer.Write(sent) // what is missing is noticed below
			_ = peer.CloseWrite()
		}()
		got, err := io.ReadAll(peer)
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("%d bytes came back, %v; want %d, the same", len(got), err, len(sent))
		}
		if reason := <-closed; reason != io.EOF {
			t.Errorf("Closed with %v, want io.EOF", reason)
		}
	})
}

//go:build linux

package socket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/procpool/socket"
	"github.com/plait-go/plait/uds/leaktest"
)

// serve runs a server until the test ends, and returns what dials it.
func serve(t *testing.T, s *socket.Server) (dial func() net.Conn, stop func() error) {
	t.Helper()
	leaktest.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stop = func() error {
		cancel()
		err := <-done
		done <- err
		return err
	}
	t.Cleanup(func() {
		if err := errors.Join(stop(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	}, stop
}

// hello answers in three pieces, empty bodies aside.
func hello(_ context.Context, body []byte, reply io.Writer) error {
	switch string(body) {
	case "nothing":
		return nil
	case "error":
		_, _ = reply.Write([]byte("half of"))
		return errors.New("no reply")
	case "much":
		for range 3 {
			_, _ = reply.Write([]byte(strings.Repeat("x", 500)))
		}
		return nil
	}
	for _, piece := range []string{"hello ", string(body), "!\n"} {
		if _, err := io.WriteString(reply, piece); err != nil {
			return err
		}
	}
	return nil
}

func TestServe(t *testing.T) {
	s := &socket.Server{Handle: hello, Max: 1000}
	dial, stop := serve(t, s)
	long := strings.Repeat("x", 992)
	for _, test := range []struct{ request, want string }{
		{"\x00\x00\x00\x06client", "\x00\x00\x00\x0ehello client!\n"},
		{"\x00\x00\x00\x01\x00more that nobody reads", "\x00\x00\x00\x09hello \x00!\n"},
		{"\x00\x00\x00\x07nothing", ""},
		{"\x00\x00\x00\x05error", ""},
		{"\x00\x00\x00\x04much", ""},
		{"\x00\x00\x03\xe0" + long, "\x00\x00\x03\xe8hello " + long + "!\n"},
		{"\x00\x00\x03\xe1x" + long, ""}, // the reply is too long

		{"\x00\x00\x00\x00", ""},
		{"\x00\x00\x03\xe9", ""},
		{"\x80\x00\x00\x00", ""},
		{"\xff\xff\xff\xff", ""},
		{"GET / HTTP/1.1\r\n\r\n", ""},
	} {
		c := dial()
		if _, err := io.WriteString(c, test.request); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if string(got) != test.want || err != nil && !strings.Contains(err.Error(), "reset") { // of what was not read
			t.Errorf("%.20q: %.40q, %v; want %.40q", test.request, got, err, test.want)
		}
	}
	if err := stop(); err != nil { // what the last one is counted as comes behind its end
		t.Errorf("Serve: %v", err)
	}
	if diff := cmp.Diff(socket.Stats{Accepted: 12, Served: 4, Failed: 3, Bad: 5}, s.Stats()); diff != "" {
		t.Errorf("Stats: %s", diff)
	}
}

// A body that is cut short is not delivered: not as it is, and not with what came in
// an earlier request behind it.
func TestShortBody(t *testing.T) {
	var got []string
	s := &socket.Server{Handle: func(_ context.Context, body []byte, _ io.Writer) error {
		got = append(got, string(body))
		return nil
	}}
	dial, stop := serve(t, s)
	whole := "\x00\x00\x00\x0csecret words"
	for n := range whole {
		for _, request := range []string{whole, whole[:n]} {
			c := dial()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
				t.Errorf("%q: %q, %v", request, rest, err)
			}
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, body := range got {
		if body != "secret words" {
			t.Errorf("delivered %q", body)
		}
	}
	if len(got) != len(whole) {
		t.Errorf("%d bodies, want %d", len(got), len(whole))
	}
}

// A client that stalls is cut, and does not keep the others for longer than that.
func TestStalledClient(t *testing.T) {
	s := &socket.Server{Handle: hello, Timeout: 50 * time.Millisecond}
	dial, _ := serve(t, s)
	for _, begun := range []string{"", "\x00", "\x00\x00\x00\x06cli"} {
		stalled, next := dial(), dial()
		if _, err := io.WriteString(stalled, begun); err != nil {
			t.Fatal(err)
		}
		if got, err := socket.Call(t.Context(), next, []byte("next"), 0); string(got) != "hello next!\n" || err != nil {
			t.Errorf("Call = %q, %v", got, err)
		}
		if rest, err := io.ReadAll(stalled); err != nil || len(rest) > 0 {
			t.Errorf("the stalled one got %q, %v", rest, err)
		}
	}
}

// The request in hand is finished when ctx ends, and its context does not end.
func TestServeEndsBetweenRequests(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	s := &socket.Server{Handle: func(ctx context.Context, body []byte, reply io.Writer) error {
		close(begun)
		<-finish
		_, err := reply.Write(body)
		return errors.Join(err, ctx.Err())
	}}
	counts := 0
	s.Begin, s.End = func() { counts++ }, func() { counts += 10 }
	dial, stop := serve(t, s)
	answered := make(chan string)
	c := dial()
	go func() {
		got, err := socket.Call(t.Context(), c, []byte("in hand"), 0)
		answered <- fmt.Sprintf("%s %v", got, err)
	}()
	<-begun
	ended := make(chan error)
	go func() { ended <- stop() }()
	select {
	case err := <-ended:
		t.Errorf("Serve: %v, before the request has ended", err)
	case finish <- struct{}{}:
	}
	if got := <-answered; got != "in hand <nil>" {
		t.Errorf("Call = %s", got)
	}
	if err := <-ended; err != nil || counts != 11 {
		t.Errorf("Serve: %v; counted %d", err, counts)
	}
}

func TestCallErrors(t *testing.T) {
	s := &socket.Server{Handle: hello, Timeout: 50 * time.Millisecond}
	dial, _ := serve(t, s)
	if _, err := socket.Call(t.Context(), dial(), nil, 0); !errors.Is(err, socket.ErrTooLong) {
		t.Errorf("Call without a body: %v", err)
	}
	if _, err := socket.Call(t.Context(), dial(), []byte("client"), 3); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("Call with a limit of 3 bytes: %v", err)
	}
	if got, err := socket.Call(t.Context(), dial(), []byte("nothing"), 0); got != nil || err != nil {
		t.Errorf("Call = %q, %v; want no reply", got, err)
	}
	near, far := net.Pipe()
	defer func() { _ = errors.Join(near.Close(), far.Close()) }()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := socket.Call(ctx, near, []byte("x"), 0); !errors.Is(err, cause) {
		t.Errorf("Call: %v, want %v", err, cause)
	}
	if err := s.Serve(t.Context(), struct{ net.Listener }{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Serve on a listener without deadlines: %v", err)
	}
}

//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
	"github.com/plait-go/plait/uds"
)

// Messages on streams: the same functions serve a TCP connection and a Stream.
func Example_framing() {
	path, remove := temporary("count")
	defer remove()
	overUnix, err := uds.Listen(uds.Stream, path, nil)
	check(err)
	overTCP, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	for _, l := range []net.Listener{overUnix, overTCP} {
		var server sync.WaitGroup
		server.Go(func() { measureFrames(l) })
		var c net.Conn
		if l == overUnix {
			c, err = uds.Dial(context.Background(), uds.Stream, path)
		} else {
			c, err = net.Dial("tcp", l.Addr().String())
		}
		check(err)
		fmt.Println(l.Addr().Network(), askFrames(c, "one", "", "three"))
		server.Wait()
		check(errors.Join(c.Close(), l.Close()))
	}
	// Output:
	// unix [3 0 5]
	// tcp [3 0 5]
}

// lengthPrefix is two bytes of length before each message.
func lengthPrefix() *lengthfield.Codec {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'n', Body: 2})
	check(err)
	return codec
}

// measureFrames answers each message of one connection with its size.
func measureFrames(l net.Listener) {
	c, err := l.Accept()
	check(err)
	codec := lengthPrefix()
	w := framing.NewWriter(c, codec)
	for frame, err := range framing.NewReader(c, codec).All() {
		check(err)
		_, err = fmt.Fprint(w, len(codec.Payload(frame)))
		check(err)
	}
	check(errors.Join(w.Flush(), c.Close()))
}

// askFrames sends messages, all in one system call, and returns the answers.
func askFrames(c net.Conn, messages ...string) (answers []string) {
	codec := lengthPrefix()
	w := framing.NewWriter(c, codec)
	for _, message := range messages {
		_, err := w.Write([]byte(message))
		check(err)
	}
	check(errors.Join(w.Flush(), c.(interface{ CloseWrite() error }).CloseWrite()))
	for frame, err := range framing.NewReader(c, codec).All() {
		check(err)
		answers = append(answers, string(codec.Payload(frame)))
	}
	return answers
}

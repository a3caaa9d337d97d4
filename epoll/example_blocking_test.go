//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Work that blocks is for a goroutine. Its answer comes back by Post, with the ID
// of the connection, which may be closed by then.
func ExampleLoop_Conn() {
	loop, err := epoll.New(nil)
	check(err)
	o := &office{loop: loop, work: make(chan string), late: make(chan string), left: make(chan error, 2)}
	h := &epoll.Handler{Data: o.data, Closed: func(_ *epoll.Conn, reason error) { o.left <- reason }}
	hasty, patient := attach(loop, h), attach(loop, h)

	go func() {
		defer loop.Stop()
		send(hasty, "first question")
		check(hasty.Close())
		fmt.Println("closed:", <-o.left)
		o.work <- "first answer"
		fmt.Println("too late:", <-o.late)

		send(patient, "second question")
		o.work <- "second answer"
		fmt.Println("in time:", receive(patient))
		check(patient.Close())
	}()
	check(loop.Run(context.Background()))
	// Output:
	// closed: EOF
	// too late: first answer
	// in time: second answer
}

// An office answers questions.
type office struct {
	loop *epoll.Loop
	work chan string // stands for what takes long
	late chan string // answers that nobody waits for
	left chan error  // reasons of connections that were closed
}

// data is called with one question, since the sockets keep packets apart.
func (o *office) data(c *epoll.Conn, p []byte) error {
	id, question := c.ID(), string(p) // p is valid until data returns
	go func() {
		answer := o.find(question)
		_ = o.loop.Post(func() { o.deliver(id, answer) }) // or the Loop has ended
	}()
	return nil
}

func (o *office) find(string) string { return <-o.work }

// deliver runs on the Loop's goroutine.
func (o *office) deliver(id uint64, answer string) {
	c := o.loop.Conn(id)
	if c == nil {
		o.late <- answer
		return
	}
	if _, err := c.Write([]byte(answer)); err != nil {
		_ = c.Close(err)
	}
}

// attach puts one end of a connection on loop, and returns the other.
func attach(loop *epoll.Loop, h *epoll.Handler) *os.File {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	check(err)
	_, err = loop.Attach(fds[0], h)
	check(err)
	return os.NewFile(uintptr(fds[1]), "client")
}

func send(f *os.File, text string) {
	_, err := f.WriteString(text)
	check(err)
}

func receive(f *os.File) string {
	buf := make([]byte, 100)
	n, err := f.Read(buf)
	check(err)
	return string(buf[:n])
}

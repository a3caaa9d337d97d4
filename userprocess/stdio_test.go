//go:build linux

package userprocess_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// A line goes in, and comes back; the end of the input is the child's end.
func TestStdinAndStdout(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Path: "/bin/cat", Stdin: userprocess.Pipe, Stdout: userprocess.Pipe, Stderr: userprocess.Null})
	if p.Stderr() != nil || p.Pipe() != nil {
		t.Errorf("%v, %v, want nil", p.Stderr(), p.Pipe())
	}
	r := bufio.NewReader(p.Stdout())
	for range 3 {
		if _, err := p.Stdin().Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
		if line, err := r.ReadString('\n'); line != "line\n" || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if err := p.Stdin().Close(); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if exit, err := p.Wait(); !exit.OK() || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
	if err := p.Stdout().Close(); err != nil {
		t.Error(err)
	}
	if err := p.Stdout().Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

func TestPipes(t *testing.T) {
	leaktest.Check(t)
	for kind, commands := range map[uds.Kind][]userprocess.Command{
		uds.SeqPacket: {{Role: "echo"}},
		uds.Stream:    {{Role: "echo"}, shell("cat <&3 >&3")},
	} {
		for _, c := range commands {
			c.Pipe = kind
			p := start(t, &c)
			buf := make([]byte, 100)
			for _, text := range []string{"hello", "you"} {
				if _, err := p.Pipe().Send(t.Context(), []byte(text)); err != nil {
					t.Fatal(err)
				}
				if n, err := p.Pipe().Receive(t.Context(), buf); string(buf[:n]) != text || err != nil {
					t.Errorf("%v: %q, %v", p, buf[:n], err)
				}
			}
			if exit, err := p.Stop(t.Context()); err != nil || c.Role != "" && !exit.OK() {
				t.Errorf("%v, %v", exit, err)
			}
			if n, err := p.Pipe().Receive(t.Context(), buf); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("when it has ended: %d, %v", n, err)
			}
		}
	}
}

// What the child has written is all read, then it is the end, at once, although what
// the child has left behind has the other end, too.
func TestEndOfTheDead(t *testing.T) {
	leaktest.Check(t)
	for range 3 {
		p := start(t, &userprocess.Command{Role: "fork", Pipe: uds.SeqPacket, Stdout: userprocess.Pipe})
		buf := make([]byte, 10)
		if n, err := p.Pipe().Receive(t.Context(), buf); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("Pipe: %d, %v", n, err)
		}
		if text, err := io.ReadAll(p.Stdout()); string(text) != "before\n" || err != nil {
			t.Errorf("Stdout: %q, %v", text, err)
		}
		if err := p.Stdout().SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		if n, err := p.Stdout().Read(buf); n != 0 || err != io.EOF {
			t.Errorf("Stdout again: %d, %v", n, err)
		}
	}
}

// A pipe that is full when its writer dies is read to its end.
func TestRestOfTheDead(t *testing.T) {
	leaktest.Check(t)
	c := shell("head -c 60000 /dev/zero; sleep 600 &")
	c.Stdout = userprocess.Pipe
	p := start(t, &c)
	if exit, err := p.Wait(); !exit.OK() || err != nil { // nobody has read yet
		t.Errorf("%v, %v", exit, err)
	}
	text, err := io.ReadAll(p.Stdout())
	if !bytes.Equal(text, make([]byte, 60000)) || err != nil {
		t.Errorf("%d bytes, %v; want 60000", len(text), err)
	}
}

// A silent child is waited for as long as the reader wants.
func TestReadDeadline(t *testing.T) {
	leaktest.Check(t)
	p := start(t, &userprocess.Command{Path: "/bin/cat", Stdin: userprocess.Pipe, Stdout: userprocess.Pipe})
	if err := p.Stdout().SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if _, err := p.Stdout().Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	if err := p.Stdout().SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := p.Stdout().Read(buf)
		read <- err
	}()
	if err := p.Signal(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if err := <-read; err != io.EOF {
		t.Errorf("Read of what is killed: %v", err)
	}
}

//go:build linux

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestBadClients(t *testing.T) {
	eof, length := []string{"-max", "1000"}, []string{"-frame", "length", "-max", "1000"}
	good := map[bool]string{false: "good\r\n", true: "\x00\x00\x00\x04good"}
	for _, test := range []struct {
		name  string
		flags []string
		bad   string
		want  string // on stderr
	}{
		{"line too long", eof, strings.Repeat("x", 1001), `at byte 6: frame too long, limit 1000, begins with \"xxxxxxxxxxxxxxxx\"`},
		{"line too long by its CRLF", eof, strings.Repeat("x", 999) + "\r\n", `at byte 6: frame too long`},
		{"much input behind", eof, strings.Repeat("x", 1<<20), `at byte 6: frame too long`},
		{"end inside a line", eof, "half\r", `inside a frame, 5 bytes of it came: framing: at byte 6: unexpected EOF, begins with \"half\\r\"`},
		{"2 GiB claimed", length, "\x80\x00\x00\x00", `at byte 8: frame too long: 2147483652 bytes, limit 1000`},
		{"4 GiB claimed", length, "\xff\xff\xff\xffmore", `at byte 8: frame too long: 4294967299 bytes, limit 1000`},
		{"one byte over", length, "\x00\x00\x03\xe5", `at byte 8: frame too long: 1001 bytes, limit 1000`},
		{"end inside a length", length, "\x00\x00\x00", `inside a frame, 3 bytes of it came: framing: at byte 8: unexpected EOF`},
		{"end inside a frame", length, "\x00\x00\x00\x09four", `inside a frame, 8 bytes of it came`},
		{"HTTP", length, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", `begins with \"GET \" (this looks like HTTP)`},
		{"TLS", length, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", `(this looks like TLS)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, test.flags...)
			witness, c := p.Dial(t), p.Dial(t)
			whole := good[len(test.flags) > 2]
			witness.Send(t, whole)
			witness.Expect(t, whole)

			c.Send(t, whole+test.bad)
			if strings.HasPrefix(test.name, "end ") {
				c.CloseWrite(t)
			}
			c.Expect(t, whole) // however much came behind it
			c.ExpectEnd(t)
			p.Said(t, "level=WARN", "conn=", fmt.Sprint("remote=", c.LocalAddr()), test.want)

			witness.Send(t, whole)
			witness.Expect(t, whole)
			witness.HangUp(t)
			if complaints := p.Stop(t); len(complaints) != 1 {
				t.Errorf("%d complaints, want 1: %q", len(complaints), complaints)
			}
		})
	}
}

func TestFrameOfExactlyMax(t *testing.T) {
	for kind, frame := range map[string]string{
		"eof":    strings.Repeat("x", 998) + "\r\n",
		"length": "\x00\x00\x03\xe4" + strings.Repeat("x", 996),
		"raw":    strings.Repeat("x", 1000),
	} {
		p := start(t, "-max", "1000", "-frame", kind)
		c := p.Dial(t)
		c.Send(t, frame+frame)
		c.Expect(t, frame+frame)
	}
}

// A client that resets the connection is an error, too, of one line.
func TestResetIsOneLine(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	c.Send(t, "hello\r\n")
	c.Line(t)
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); !ok || tcp.SetLinger(0) != nil {
		t.Fatal("no linger option")
	}
	c.HangUp(t)
	p.Said(t, "level=WARN", "conn=", fmt.Sprint("remote=", c.LocalAddr()), "reset")
	if complaints := p.Stop(t); len(complaints) != 1 {
		t.Errorf("%d complaints, want 1: %q", len(complaints), complaints)
	}
}

// A client that closes on replies it has not read has the server's system say so.
func TestClientThatBreaksOff(t *testing.T) {
	p := start(t)
	c := p.Dial(t)
	id := c.Ask(t, "/id")
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.HangUp(t)
	p.Said(t, "level=WARN", "conn="+id, "client broke off: ", "connection reset by peer")
}

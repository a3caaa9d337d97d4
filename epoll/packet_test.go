//go:build linux

package epoll_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// udpSocket returns a UDP socket of this machine, and its address.
func udpSocket(tb testing.TB) (fd int, address *unix.SockaddrInet4) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	must(tb, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	sa, err := unix.Getsockname(fd)
	must(tb, err)
	return fd, sa.(*unix.SockaddrInet4)
}

func TestPacketConnAnswers(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, address := udpSocket(t)
		c, err := l.Packets(fd, &epoll.PacketHandler{
			Packet: func(c *epoll.PacketConn, p []byte, from unix.Sockaddr) {
				must(t, c.Send(fmt.Appendf(nil, "%d bytes: %s", len(p), p), from))
			},
			Failed: func(_ *epoll.PacketConn, err error) { t.Errorf("Failed with %v", err) },
		})
		must(t, err)
		if c.FD() != fd {
			t.Errorf("FD = %d, want %d", c.FD(), fd)
		}
		run(t, l)
		peer, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: address.Port})
		must(t, err)
		defer func() { _ = peer.Close() }()
		for _, message := range []string{"hello", "", "empty ones are messages, too"} {
			_, err := peer.Write([]byte(message))
			must(t, err)
			buf := make([]byte, 100)
			n, err := peer.Read(buf)
			if want := fmt.Sprintf("%d bytes: %s", len(message), message); string(buf[:n]) != want || err != nil {
				t.Errorf("the answer is %q, %v; want %q", buf[:n], err, want)
			}
		}
	})
}

func TestPacketConnReadsMoreThanABatch(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, other := unixPair(t, unix.SOCK_DGRAM)
		closing(t, other, nil)
		var got, want []string
		_, err := l.Packets(fd, &epoll.PacketHandler{Packet: func(c *epoll.PacketConn, p []byte, from unix.Sockaddr) {
			if from != nil {
				t.Errorf("a message of a socket without a name is from %v, want nil", from)
			}
			if cap(p) != len(p) {
				t.Errorf("a slice of %d bytes has room for %d", len(p), cap(p))
			}
			if got = append(got, string(p)); string(p) == "last" {
				must(t, c.Close())
				l.Stop()
			}
		}})
		must(t, err)
		var send func()
		send = func() { // as many at a time as there is room for
			for {
				message := fmt.Sprint(len(want))
				if len(want) == 300 {
					message = "last"
				}
				if err := unix.Send(other, []byte(message), 0); err == unix.EAGAIN {
					l.Defer(send)
					return
				} else if err != nil {
					t.Errorf("send: %v", err)
				}
				if want = append(want, message); message == "last" {
					return
				}
			}
		}
		l.Defer(send)
		runHere(t, l)
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestPacketConnIsToldOfRoom(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, other := unixPair(t, unix.SOCK_DGRAM)
		closing(t, other, nil)
		taken, got, room := 0, 0, 0
		read := func() {
			buf := make([]byte, 10)
			for {
				n, err := unix.Read(other, buf)
				if err != nil {
					break
				}
				if string(buf[:n]) != "message" {
					t.Errorf("the peer got %q, want what was taken", buf[:n])
				}
				got++
			}
		}
		fill := func(c *epoll.PacketConn) {
			err := error(nil)
			for ; err == nil; taken++ {
				err = c.Send([]byte("message"), nil)
			}
			if taken--; err != epoll.ErrFull {
				t.Errorf("Send = %v where there is no room, want ErrFull", err)
			}
		}
		c, err := l.Packets(fd, &epoll.PacketHandler{Room: func(c *epoll.PacketConn) {
			if room++; got == 0 {
				t.Error("Room is called before there is room")
			}
			if room == 3 {
				read()
				rounds(l, 4, l.Stop) // in which there is nothing more to tell
				return
			}
			fill(c)
			rounds(l, 3, read)
		}})
		must(t, err)
		fill(c)
		rounds(l, 3, read)
		runHere(t, l)
		if got != taken || room != 3 {
			t.Errorf("%d messages arrived, Room was called %d times; want %d, 3", got, room, taken)
		}
	})
}

func TestPacketThatIsTooLong(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		udp, address := udpSocket(t)
		u, err := l.Packets(udp, &epoll.PacketHandler{})
		must(t, err)
		if err := u.Send(make([]byte, 1<<16), address); !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("Send(64 KiB) = %v, want EMSGSIZE", err)
		}
		fd, other := unixPair(t, unix.SOCK_DGRAM)
		closing(t, other, nil)
		must(t, unix.SetsockoptInt(other, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20))
		var failed error
		_, err = l.Packets(fd, &epoll.PacketHandler{
			Failed: func(_ *epoll.PacketConn, err error) { failed = err },
			Packet: func(_ *epoll.PacketConn, p []byte, _ unix.Sockaddr) {
				if string(p) != "short" || !errors.Is(failed, unix.EMSGSIZE) {
					t.Errorf("a message of %d bytes, after Failed with %v; want the short one, EMSGSIZE", len(p), failed)
				}
				l.Stop()
			},
		})
		must(t, err)
		must(t, unix.Send(other, make([]byte, epoll.DefaultTurn+1), 0))
		must(t, unix.Send(other, []byte("short"), 0))
		runHere(t, l)
	})
}

// An error of a message that was sent earlier is told, and the socket goes on.
func TestPacketThatNobodyTakes(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		gone, nobody := udpSocket(t)
		must(t, unix.Close(gone))
		fd, _ := udpSocket(t)
		must(t, unix.Connect(fd, nobody))
		failed := 0
		var c *epoll.PacketConn
		c, err := l.Packets(fd, &epoll.PacketHandler{Failed: func(_ *epoll.PacketConn, err error) {
			if !errors.Is(err, unix.ECONNREFUSED) {
				t.Errorf("Failed with %v, want ECONNREFUSED", err)
			}
			if failed++; failed == 2 {
				l.Stop()
				return
			}
			must(t, c.Send([]byte("hello again"), nil))
		}})
		must(t, err)
		must(t, c.Send([]byte("hello"), nil))
		runHere(t, l)
	})
}

func TestPacketConnClosed(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, other := unixPair(t, unix.SOCK_DGRAM)
		closing(t, other, nil)
		read := 0
		_, err := l.Packets(fd, &epoll.PacketHandler{Packet: func(c *epoll.PacketConn, _ []byte, _ unix.Sockaddr) {
			read++
			must(t, c.Close())
			for call, err := range map[string]error{"Send": c.Send([]byte("x"), nil), "Close": c.Close()} {
				if err != os.ErrClosed {
					t.Errorf("%s after Close: %v, want os.ErrClosed", call, err)
				}
			}
			rounds(l, 3, l.Stop)
		}})
		must(t, err)
		for range 3 {
			must(t, unix.Send(other, []byte("x"), 0))
		}
		runHere(t, l)
		if read != 1 {
			t.Errorf("%d messages were read, want 1: the one that closed", read)
		}
		if err := unix.Send(other, []byte("x"), 0); err != unix.ECONNREFUSED {
			t.Errorf("send to a socket that was closed: %v, want ECONNREFUSED", err)
		}
	})
}

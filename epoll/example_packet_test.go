//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A server that sends each UDP datagram back to its sender.
func ExamplePacketConn() {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	fd, err := epoll.Duplicate(udp)
	check(err)
	check(udp.Close())

	loop, err := epoll.New(nil)
	check(err)
	_, err = loop.Packets(fd, &epoll.PacketHandler{Packet: sendBack})
	check(err)

	go func() {
		defer loop.Stop()
		client := dial(udp.LocalAddr())
		fmt.Println(exchange(client, "hello"))
		fmt.Println(exchange(client, "again"))
		check(client.Close())
	}()
	check(loop.Run(context.Background()))
	// Output:
	// hello
	// again
}

// The same over UNIX datagrams, which a client that wants an answer sends from an
// address of its own.
func ExampleLoop_Packets() {
	dir, err := os.MkdirTemp("", "unixgram")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	here := &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "server")}
	there := &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "client")}
	socket, err := net.ListenUnixgram("unixgram", here)
	check(err)
	fd, err := epoll.Duplicate(socket)
	check(err)
	check(socket.Close())

	loop, err := epoll.New(nil)
	check(err)
	_, err = loop.Packets(fd, &epoll.PacketHandler{Packet: sendBack})
	check(err)

	go func() {
		defer loop.Stop()
		client, err := net.DialUnix("unixgram", there, here)
		check(err)
		check(client.SetDeadline(time.Now().Add(10 * time.Second)))
		fmt.Println(exchange(client, "hello"))
		check(client.Close())
	}()
	check(loop.Run(context.Background()))
	// Output: hello
}

// sendBack sends a message back, or drops it where there is no room: whoever sends
// datagrams has to send those again that are not answered.
func sendBack(c *epoll.PacketConn, p []byte, from unix.Sockaddr) { _ = c.Send(p, from) }

// exchange sends a message, and returns the one that comes back.
func exchange(conn net.Conn, message string) string {
	_, err := conn.Write([]byte(message))
	check(err)
	buf := make([]byte, 1500)
	n, err := conn.Read(buf)
	check(err)
	return string(buf[:n])
}

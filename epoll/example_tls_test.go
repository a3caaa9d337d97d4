//go:build linux

package epoll_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/plait-go/plait/epoll"
)

// Connections are accepted by a Loop, and leave it before anything is read, for
// goroutines that run crypto/tls over them.
func ExampleConn_Detach() {
	server, client := configs()
	loop, err := epoll.New(nil)
	check(err)
	served := make(chan error, 1)
	_, addr := serveTCP(loop, &epoll.Handler{
		Opened: func(c *epoll.Conn) error {
			conn, err := detach(c)
			if err != nil {
				return err
			}
			go func() { served <- echoTLS(conn, server) }()
			return nil
		},
	}, nil)

	reply := make(chan string, 1)
	go func() {
		defer loop.Stop()
		reply <- ask(tls.Client(dial(addr), client), "a secret")
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-reply, <-served)
	// Output: a secret <nil>
}

// detach takes c from its Loop, and makes a net.Conn of it. Nothing has been
// written yet, so nothing can be unsent.
func detach(c *epoll.Conn) (net.Conn, error) {
	fd, _, err := c.Detach()
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "conn")
	conn, err := net.FileConn(f) // has a descriptor of its own
	return conn, errors.Join(err, f.Close())
}

// echoTLS sends back what it gets, and closes conn.
func echoTLS(conn net.Conn, config *tls.Config) error {
	c := tls.Server(conn, config)
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // Copy tells
	_, err := io.Copy(c, c)
	return errors.Join(err, c.Close())
}

// configs returns what two ends need to trust a certificate that is made for it.
func configs() (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(err)
	cert, err := x509.ParseCertificate(der)
	check(err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

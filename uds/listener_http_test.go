//go:build linux

package uds_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A Listener and its connections serve what package net's do.
func TestHTTP(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/http"
	l, err := uds.Listen(uds.Stream, path, nil)
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, r.URL.Path+strings.ToUpper(string(body))) // the client counts
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return uds.Dial(ctx, uds.Stream, path) },
	}}
	body := strings.Repeat("a body of some length; ", 12_000) // more than a socket takes
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				response, err := client.Post("http://server/path:", "text/plain", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(response.Body)
				if string(got) != "/path:"+strings.ToUpper(body) || err != nil {
					t.Errorf("response of %d bytes, %v; want %d", len(got), err, len(body)+6)
				}
				_ = response.Body.Close() // read to its end
			}
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	must(t, server.Shutdown(patient(t)))
	if err := result(t, served); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve = %v, want http.ErrServerClosed", err)
	}
	if left := entries(t, path[:len(path)-len("/http")]); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

//go:build linux

package dispatch_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
)

func TestSmoke(t *testing.T) {
	s := dispatch.NewSerial()
	got := make(chan string, 100)
	d, err := dispatch.New(2, s, &dispatch.Options{Answered: func(a dispatch.Answer) {
		got <- fmt.Sprintf("%d %s %v", a.Cookie, a.Payload, a.Err)
	}})
	if err != nil {
		t.Fatal(err)
	}
	var begun [2]atomic.Int64
	ended := make(chan error, 2)
	var lanes []*dispatch.Lane
	for i := range 2 {
		a, b, err := uds.SocketPair(uds.Stream)
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.Attach()
		if err != nil {
			t.Fatal(err)
		}
		l := d.Attach(i, dispatch.Worker{Socket: a, Begun: begun[i].Load})
		srv := &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(fmt.Appendf(nil, "%d:%s", i, r.Payload)) }}
		go func() { ended <- srv.Serve(c, &begun[i]) }()
		l.Ready()
		lanes = append(lanes, l)
	}
	_ = s.Post(func() {
		f := d.Open(7, 0, nil)
		g := d.Open(8, 0, nil)
		for i := range 4 {
			if err := d.Submit(f, dispatch.Request{Payload: []byte("f"), Cookie: uint64(i)}); err != nil {
				t.Error(err)
			}
			if err := d.Submit(g, dispatch.Request{Payload: make([]byte, 200000), Cookie: uint64(i)}); err != nil {
				t.Error(err)
			}
		}
	})
	for range 8 {
		x := <-got
		t.Log(x[:min(len(x), 10)], len(x))
	}
	t.Logf("%+v", d.Stats())
	for _, l := range lanes {
		l.Drain(nil)
	}
	t.Log(<-ended, <-ended)
	for _, l := range lanes {
		l.Exited()
	}
}

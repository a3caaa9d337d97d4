//go:build linux

package procpool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/userprocess"
)

// requests answers requests with their payload, and named ones with the name of their
// lane as well.
func requests(_ context.Context, w *procpool.Worker) error {
	w.Handle("named", func(r *lane.Request) { _ = r.Reply(append([]byte("named "), r.Payload...)) })
	return w.Serve(func(r *lane.Request) {
		switch text := string(r.Payload); text {
		case "pid":
			_ = r.Reply(strconv.AppendInt(nil, int64(os.Getpid()), 10))
		case "client":
			_, err := w.Client("other")
			_ = r.Fail(err)
		default:
			if after, ok := strings.CutPrefix(text, "do "); ok {
				mischief(r, after)
			}
			_ = r.Reply(r.Payload) // or it has been
		}
	})
}

// A served is a running pool whose workers get requests.
type served struct {
	*running
	d      *dispatch.Dispatcher
	rounds *dispatch.Serial
}

// A result is an answer, as it is kept.
type result struct {
	cookie uint64
	text   string
	err    error
}

// serveRequests runs a pool of so many workers that answer requests.
func serveRequests(t *testing.T, count int, o *dispatch.Options) *served {
	t.Helper()
	s := &served{running: prepare(t, new(procpool.Options), role("requests", count)), rounds: dispatch.NewSerial()}
	o.Answered = func(a dispatch.Answer) {
		a.Flow.State.(chan result) <- result{a.Cookie, string(a.Payload), a.Err}
	}
	var err error
	if s.d, err = s.Dispatcher("requests", "", s.rounds, o); err != nil {
		t.Fatal(err)
	}
	s.start()
	for range count {
		s.until(procpool.Ready)
	}
	return s
}

// ask submits requests with consecutive cookies, and returns what they come to.
func (s *served) ask(redeliver bool, texts ...string) chan result {
	s.Helper()
	results := make(chan result, len(texts))
	err := s.rounds.Post(func() {
		f := s.d.Open(0, 0, results)
		for i, text := range texts {
			err := s.d.Submit(f, dispatch.Request{Payload: []byte(text), Cookie: uint64(i), Redeliver: redeliver})
			if err != nil {
				results <- result{uint64(i), "", err}
			}
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	return results
}

// balanced checks that all requests are accounted for.
func (s *served) balanced() {
	s.Helper()
	st := s.d.Stats()
	for st.Pending() > 0 { // it is shown after the last answer is given
		st = s.d.Stats()
	}
	if sum := st.Answered + st.Failed + st.Lost + st.Unserved + st.Dropped + st.Orphans; sum != st.Submitted {
		s.Errorf("%+v: that is %d in all", st, sum)
	}
}

func TestRequests(t *testing.T) {
	s := serveRequests(t, 2, &dispatch.Options{Policy: dispatch.RoundRobin(), Window: 8, WindowBytes: 1 << 10})
	texts := make([]string, 500)
	for i := range texts {
		texts[i] = strings.Repeat(strconv.Itoa(i), i)
	}
	results := s.ask(false, texts...)
	for range texts {
		if r := <-results; r.err != nil || r.text != texts[r.cookie] {
			t.Fatalf("request %d: %.20q, %v", r.cookie, r.text, r.err)
		}
	}
	pids := s.ask(false, "pid", "pid")
	if a, b := <-pids, <-pids; a.text == b.text || a.err != nil || b.err != nil {
		t.Errorf("pids %v, %v; want two", a, b)
	}
	s.balanced()
}

// Requests of Dispatchers with names have handlers of their own, and only some take
// calls.
func TestNamedDispatchers(t *testing.T) {
	r := prepare(t, new(procpool.Options), role("requests", 1))
	rounds := dispatch.NewSerial()
	results := make(chan result, 1)
	o := &dispatch.Options{Answered: func(a dispatch.Answer) { results <- result{0, string(a.Payload), a.Err} }}
	ask := make(map[string]func(text string))
	for _, name := range []string{"", "named"} {
		d, err := r.Dispatcher("requests", name, rounds, o)
		if err != nil {
			t.Fatal(err)
		}
		ask[name] = func(text string) {
			_ = rounds.Post(func() { _ = d.Submit(d.Open(0, 0, nil), dispatch.Request{Payload: []byte(text)}) })
		}
	}
	r.start()
	r.until(procpool.Ready)
	for _, c := range []struct{ name, text, want string }{
		{"", "hello", "hello <nil>"},
		{"named", "hello", "named hello <nil>"},
		{"", "client", ` procpool: no Dispatcher "other" takes calls of this worker`},
	} {
		ask[c.name](c.text)
		if got := <-results; fmt.Sprint(got.text, " ", got.err) != c.want {
			t.Errorf("%q of %q = %q, %v; want %q", c.text, c.name, got.text, got.err, c.want)
		}
	}
}

func TestDispatcherErrors(t *testing.T) {
	pool, err := procpool.New([]*procpool.Group{
		role("requests", 1),
		{Name: "other", Command: userprocess.Command{Path: "/bin/true"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := dispatch.Options{Answered: func(dispatch.Answer) {}, Called: func(*dispatch.Call) {}}
	try := func(group string, o *dispatch.Options) error {
		_, err := pool.Dispatcher(group, "", dispatch.NewSerial(), o)
		return err
	}
	if err := try("requests", &good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		group, want string
		o           dispatch.Options
	}{
		{"nobody", `procpool: no group "nobody"`, good},
		{"other", "procpool: group other is another program, which has no lanes", good},
		{"requests", `procpool: group requests has a Dispatcher "" for calls`, good},
		{"requests", "procpool: group requests: dispatch: Options.Answered is nil", dispatch.Options{}},
	} {
		if err := try(c.group, &c.o); err == nil || err.Error() != c.want {
			t.Errorf("Dispatcher(%q) = %v; want %s", c.group, err, c.want)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := pool.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := try("requests", &good); !errors.Is(err, procpool.ErrRunning) {
		t.Errorf("Dispatcher after Run = %v, want ErrRunning", err)
	}
}

// Workers are killed while others are reloaded, and each request comes to one result.
func TestKillsAndReloads(t *testing.T) {
	for _, redeliver := range []bool{false, true} {
		t.Run(fmt.Sprintf("redeliver=%t", redeliver), func(t *testing.T) {
			s := serveRequests(t, 3, &dispatch.Options{Policy: dispatch.LeastBusy()})
			var reloads sync.WaitGroup
			for n := range 12 {
				if n%4 == 3 {
					reloads.Go(func() { // ends with the reload
						var killed *procpool.ReloadError
						if err := s.Reload(t.Context()); err != nil && !errors.As(err, &killed) {
							t.Error(err)
						}
					})
				}
				s.askWithKill(redeliver)
			}
			reloads.Wait()
			s.balanced()
			if st := s.d.Stats(); (st.Redelivered > 0) != redeliver || st.Lost < 12 {
				t.Errorf("%+v, redeliver: %t", st, redeliver)
			}
		})
	}
}

// askWithKill has a worker killed with requests in hand.
func (s *served) askWithKill(redeliver bool) {
	s.Helper()
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = strconv.Itoa(i)
	}
	texts[rand.IntN(len(texts))] = "do die"
	results := s.ask(redeliver, texts...)
	seen := make([]bool, len(texts))
	for range texts {
		switch r := <-results; {
		case seen[r.cookie], r.err == nil && r.text != texts[r.cookie]:
			s.Fatalf("request %d: %q, %v, before: %t", r.cookie, r.text, r.err, seen[r.cookie])
		case r.err != nil && !errors.Is(r.err, dispatch.ErrLost):
			s.Fatalf("request %d: %v", r.cookie, r.err)
		default:
			seen[r.cookie] = true
		}
	}
}

//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// What a callback adds to its own part of a round waits for the next round, so
// that nobody who does so for ever keeps the others from their turn.
func TestRoundDoesOneOfEachInOrder(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		a, b := streams(t)
		say(t, b)
		var log []string
		_, err := l.Add(a, epoll.Readable, func(epoll.Events) { log = append(log, "io") })
		must(t, err)
		var timer, post, deferred func()
		timer = func() { log = append(log, "timer"); l.After(0, timer) }
		post = func() { log = append(log, "post"); _ = l.Post(post) } // fails at the end
		rounds := 0
		deferred = func() {
			log = append(log, "defer")
			if rounds++; rounds == 3 {
				l.Stop()
				return
			}
			l.Defer(deferred)
		}
		l.After(0, timer)
		must(t, l.Post(post))
		l.Defer(deferred)
		runHere(t, l)
		round := []string{"io", "timer", "post", "defer"}
		want := slices.Concat(round, round, round, []string{"post"}) // what was posted by the end
		if !slices.Equal(log, want) {
			t.Errorf("three rounds did %q, want %q", log, want)
		}
	})
}

// A part that comes later in the round has its turn in it, so what is deferred by
// a callback runs before the Loop waits.
func TestDeferRunsInTheSameRound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var log []string
		note := func(s string) func() { return func() { log = append(log, s) } }
		l.After(0, func() {
			must(t, l.Post(note("posted by a timer")))
			l.Defer(note("deferred by a timer"))
			l.Stop()
		})
		runHere(t, l)
		if want := []string{"posted by a timer", "deferred by a timer"}; !slices.Equal(log, want) {
			t.Errorf("the Loop did %q, want %q", log, want)
		}
	})
}

func TestEndRunsWhatWasDeferredButNotMore(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var log []string
		must(t, l.Post(func() {
			log = append(log, "post")
			l.Defer(func() {
				log = append(log, "defer")
				l.Defer(func() {
					log = append(log, "defer at the end")
					l.Defer(func() { log = append(log, "too late") })
				})
			})
			l.Stop()
		}))
		runHere(t, l)
		if want := []string{"post", "defer", "defer at the end"}; !slices.Equal(log, want) {
			t.Errorf("the Loop did %q, want %q", log, want)
		}
	})
}

func TestStopFromEverywhere(t *testing.T) {
	for name, arm := range map[string]func(tb testing.TB, l *epoll.Loop){
		"before Run": func(_ testing.TB, l *epoll.Loop) { l.Stop() },
		"post": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			must(tb, l.Post(l.Stop))
		},
		"defer": func(_ testing.TB, l *epoll.Loop) { l.Defer(l.Stop) },
		"timer": func(_ testing.TB, l *epoll.Loop) { l.After(time.Millisecond, l.Stop) },
		"source": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			a, _ := streams(tb)
			_, err := l.Add(a, epoll.Writable, func(epoll.Events) { l.Stop() })
			must(tb, err)
		},
		"Data": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			fd, peer := unixPeer(tb, unix.SOCK_STREAM)
			_, err := l.Attach(fd, &epoll.Handler{Data: func(*epoll.Conn, []byte) error { l.Stop(); return nil }})
			must(tb, err)
			_, err = peer.Write([]byte("x"))
			must(tb, err)
		},
		"Closed": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			fd, peer := unixPeer(tb, unix.SOCK_STREAM)
			_, err := l.Attach(fd, &epoll.Handler{Closed: func(*epoll.Conn, error) { l.Stop() }})
			must(tb, err)
			must(tb, peer.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				arm(t, l)
				runHere(t, l)
				l.Stop() // harmless
				if err := l.Run(t.Context()); err != epoll.ErrStopped {
					t.Errorf("a second Run: %v, want ErrStopped", err)
				}
				if err := l.Close(); err != epoll.ErrStopped {
					t.Errorf("Close after Run: %v, want ErrStopped", err)
				}
			})
		})
	}
}

func TestStopFromManyGoroutines(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for range 100 {
			l := newLoop(t, w)
			var stoppers sync.WaitGroup
			for range 4 {
				stoppers.Go(l.Stop)
			}
			runHere(t, l)
			stoppers.Wait()
		}
	})
}

func TestRunReturnsTheCauseOfItsContext(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		cause := errors.New("why")
		for _, when := range []string{"before", "while it runs"} {
			l := newLoop(t, w)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if when == "before" {
				cancel(cause)
			}
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			if when != "before" {
				on(t, l, func() {}) // so it runs, and is about to wait
				cancel(cause)
			}
			if err := next(t, done); err != cause {
				t.Errorf("Run with a context canceled %s: %v, want its cause", when, err)
			}
		}
	})
}

func TestRunWhileItRuns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		must(t, l.Post(func() {
			if err := l.Run(t.Context()); err != epoll.ErrStopped {
				t.Errorf("Run inside of Run: %v, want ErrStopped", err)
			}
			l.Stop()
		}))
		runHere(t, l)
	})
}

func TestCloseOfALoopThatNeverRan(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		must(t, l.Post(func() { t.Error("a function that was posted ran") }))
		must(t, l.Close())
		if reason := next(t, closed); reason != epoll.ErrStopped {
			t.Errorf("Closed with %v, want ErrStopped", reason)
		}
		refuses(t, l)
	})
}

// refuses checks that a Loop that has ended takes nothing on.
func refuses(tb testing.TB, l *epoll.Loop) {
	tb.Helper()
	a, _ := streams(tb)
	errs := map[string]error{"Post": l.Post(func() {}), "Close": l.Close(), "Run": l.Run(tb.Context())}
	_, errs["Add"] = l.Add(a, epoll.Readable, nil)
	_, errs["Attach"] = l.Attach(a, &epoll.Handler{})
	_, errs["Listen"] = l.Listen(a, &epoll.Handler{}, nil)
	_, errs["Packets"] = l.Packets(a, &epoll.PacketHandler{})
	_, errs["Dial"] = l.Dial(&unix.SockaddrInet4{}, &epoll.Handler{})
	for call, err := range errs {
		if err != epoll.ErrStopped {
			tb.Errorf("%s after the end: %v, want ErrStopped", call, err)
		}
	}
	if n := l.Len(); n != 0 {
		tb.Errorf("Len = %d after the end, want 0", n)
	}
}

func TestRunEndsWhatItOwns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{}
		closed := reasons(h)
		c, err := l.Attach(fd, h)
		must(t, err)
		must(t, l.Post(func() {
			_, err := c.Write([]byte("last words"))
			must(t, err)
			l.Stop()
		}))
		runHere(t, l)
		if reason := next(t, closed); reason != epoll.ErrStopped {
			t.Errorf("Closed with %v, want ErrStopped", reason)
		}
		if got, err := io.ReadAll(peer); string(got) != "last words" || err != nil {
			t.Errorf("the peer read %q, %v; want what was written", got, err)
		}
		refuses(t, l)
	})
}

func TestNowIsThatOfTheRound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		before := time.Now()
		var first time.Time
		must(t, l.Post(func() {
			first = l.Now()
			for !time.Now().After(first) {
				continue // until the clock has moved
			}
			l.Defer(func() {
				if now := l.Now(); now != first {
					t.Errorf("Now = %v later in a round, want %v as before", now, first)
				}
				l.Defer(l.Stop)
				l.Defer(func() {
					if now := l.Now(); !now.After(first) {
						t.Errorf("Now = %v in the next round, want it later than %v", now, first)
					}
				})
			})
		}))
		runHere(t, l)
		if first.Before(before) {
			t.Errorf("Now = %v, want it not before %v", first, before)
		}
	})
}

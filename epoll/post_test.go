//go:build linux

package epoll_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A wake-up that falls between the Loop's last look at its posts and its sleep must
// not be lost. What is lost shows as a test that does not come to its end.
func TestPostWakesALoopThatGoesToSleep(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		run(t, l)
		ran := make(chan int)
		until := time.Now().Add(200 * time.Millisecond)
		for i := 0; time.Now().Before(until); i++ {
			must(t, l.Post(func() { ran <- i }))
			if got := next(t, ran); got != i {
				t.Fatalf("function %d ran, want %d", got, i)
			}
			if i%3 == 0 {
				runtime.Gosched() // to meet the Loop at another place
			}
		}
	})
}

func TestPostFromManyGoroutines(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		stop := run(t, l)
		const posters = 4
		var ran [posters][]int
		var posting sync.WaitGroup
		until := time.Now().Add(150 * time.Millisecond)
		for p := range posters {
			posting.Go(func() {
				ack := make(chan struct{})
				for i := 0; time.Now().Before(until); i++ {
					err := l.Post(func() {
						ran[p] = append(ran[p], i)
						if i%(p+1) == 0 {
							ack <- struct{}{}
						}
					})
					if err != nil {
						t.Errorf("Post: %v", err)
						return
					}
					if i%(p+1) == 0 { // some wait for each, others run ahead
						<-ack
					}
				}
			})
		}
		posting.Wait()
		stop()
		for p, got := range ran {
			for i, n := range got {
				if n != i {
					t.Fatalf("poster %d: function %d ran in place of %d", p, n, i)
				}
			}
		}
	})
}

// What Post took has run when Run returns, once and in order; what it did not take
// has not.
func TestPostAgainstStop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for range 50 {
			l := newLoop(t, w)
			const posters = 3
			var ran [posters][]int
			var taken [posters]int
			var posting sync.WaitGroup
			for p := range posters {
				posting.Go(func() {
					for {
						i := taken[p]
						err := l.Post(func() { ran[p] = append(ran[p], i) })
						if err == epoll.ErrStopped {
							return
						}
						if err != nil {
							t.Errorf("Post: %v, want nil or ErrStopped", err)
							return
						}
						if taken[p]++; taken[p] == 20*(p+1) {
							l.Stop()
						}
						if taken[p]%8 == 0 {
							runtime.Gosched()
						}
					}
				})
			}
			runHere(t, l)
			posting.Wait()
			for p := range posters {
				want := make([]int, taken[p])
				for i := range want {
					want[i] = i
				}
				if !slices.Equal(ran[p], want) {
					t.Fatalf("poster %d: %d were taken and %v ran, want each once, in order", p, taken[p], ran[p])
				}
			}
		}
	})
}

// Functions that post themselves for ever leave descriptors and timers their turn.
func TestPostOfItselfStarvesNobody(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		a, b := streams(t)
		served, fired, posts := 0, false, 0
		l.After(0, func() { fired = true })
		_, err := l.Add(a, epoll.Readable, func(epoll.Events) {
			if served++; served == 300 {
				l.Stop()
			}
		})
		must(t, err)
		say(t, b)
		var again func()
		again = func() {
			posts++
			_ = l.Post(again) // ErrStopped at the end
		}
		must(t, l.Post(again))
		runHere(t, l)
		if !fired || posts < served || posts > served+1 {
			t.Errorf("the timer fired: %v; %d posts beside %d rounds, want one in each", fired, posts, served)
		}
	})
}

func TestPostBeforeRun(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var ran []int
		for i := range 100 {
			must(t, l.Post(func() { ran = append(ran, i) }))
		}
		l.Stop()
		runHere(t, l)
		if len(ran) != 100 || !slices.IsSorted(ran) {
			t.Errorf("%v ran, want 100 in order", ran)
		}
	})
}

// While a Loop is on its way to the end a function that was posted may post, and
// is told whether that one will run.
func TestPostAtTheEnd(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		taken, ran := 0, 0
		var again func()
		again = func() {
			ran++
			switch err := l.Post(again); err {
			case nil:
				taken++
			case epoll.ErrStopped:
			default:
				t.Errorf("Post: %v, want nil or ErrStopped", err)
			}
		}
		must(t, l.Post(again))
		taken++
		l.After(time.Millisecond, l.Stop)
		runHere(t, l)
		if ran != taken {
			t.Errorf("%d ran of %d that were taken", ran, taken)
		}
	})
}

// The race detector tells if a callback runs on another goroutine, or a function
// that was posted does not see what its poster did.
func TestCallbacksRunOnTheGoroutineOfRun(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		shared := 0 // which the race detector watches
		_, err := l.Attach(fd, &epoll.Handler{Data: func(*epoll.Conn, []byte) error { shared++; return nil }})
		must(t, err)
		l.After(0, func() { shared++ })
		var poster sync.WaitGroup
		poster.Go(func() {
			_, _ = peer.Write([]byte("x")) // shows in shared
			_ = l.Post(func() { shared++; rounds(l, 3, l.Stop) })
		})
		runHere(t, l)
		shared++
		poster.Wait()
		if shared != 4 {
			t.Errorf("%d callbacks ran, want 4", shared)
		}
	})
}

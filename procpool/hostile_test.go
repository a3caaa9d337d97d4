//go:build linux

package procpool_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// mischief is what a worker does that does not keep to the rules of a lane, with the
// request with ID 0 in hand.
func mischief(r *lane.Request, what string) {
	answer := func(id uint64, text string) []byte {
		return lane.Append(nil, lane.Header{Kind: lane.KindReply, ID: id}, []byte(text))
	}
	first := answer(0, "first")
	switch what {
	case "garbage":
		onLanes([]byte(strings.Repeat("garbage", 1000)))
	case "another":
		onLanes(answer(17, "forged"))
	case "twice":
		onLanes(append(first, first...))
	case "later":
		_ = r.Reply(r.Payload)
		_ = r.Flush()
		onLanes(first)
	case "long":
		onLanes(lane.Append(nil, lane.Header{Kind: lane.KindReply}, make([]byte, 200<<10)))
	case "call":
		onLanes(lane.Append(nil, lane.Header{Kind: lane.KindReturn}, nil))
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "half":
		onLanes(first[:len(first)-1])
		os.Exit(0) //nolint:forbidigo // a program
	case "close":
		onLanes(nil)
	}
	select {} // nothing else has begun when somebody ends it
}

// onLanes writes p to all stream sockets of this process, or closes them if it is nil.
func onLanes(p []byte) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			panic(err)
		}
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		switch {
		case err != nil || kind != unix.SOCK_STREAM:
		case p == nil:
			err = unix.Shutdown(fd, unix.SHUT_WR)
		default:
			_, err = unix.Write(fd, p)
		}
		if err != nil && !errors.Is(err, unix.ENOTSOCK) && !errors.Is(err, unix.EBADF) {
			panic(err)
		}
	}
}

// Whatever a worker does to its lane, it is replaced, its request is reported or
// answered, and others notice nothing.
func TestHostileWorker(t *testing.T) {
	for _, c := range []struct {
		does    string
		answer  string // to the request that has it done; "" if it is lost
		faulted bool   // and not dead by itself
		says    string
	}{
		{"garbage", "", true, "corrupt"},
		{"another", "", true, "answer to request 17, which is not open"},
		{"twice", "first", true, "answer to request 0, which is not open"},
		{"later", "do later", true, "answer to request 0, which is not open"},
		{"long", "", true, "more than 102400 bytes"},
		{"call", "", true, "corrupt"},
		{"half", "", false, ""},
		{"close", "", true, "EOF"},
	} {
		t.Run(c.does, func(t *testing.T) {
			s := serveRequests(t, 2, &dispatch.Options{Policy: dispatch.RoundRobin(), Max: 100 << 10})
			results := s.ask(false, "do "+c.does, "hello", "after", "hello")
			for range 4 {
				r := <-results
				switch {
				case r.cookie > 0 && r.err == nil && strings.Contains("hello after", r.text):
				case r.cookie == 0 && (r.err == nil && r.text == c.answer || errors.Is(r.err, dispatch.ErrLost) && c.answer == ""):
				default:
					t.Errorf("request %d: %q, %v", r.cookie, r.text, r.err)
				}
			}
			if c.faulted {
				if e := s.until(procpool.Faulted); e.Slot != 0 || !strings.Contains(fmt.Sprint(e.Err), c.says) {
					t.Errorf("%v; want %s", e, c.says)
				}
			}
			if e := s.until(procpool.Ready); e.Slot != 0 || e.Incarnation != 2 {
				t.Errorf("%v; want the second one of slot 0", e)
			}
			broken := int64(1)
			if c.does == "half" || c.does == "close" {
				broken = 0
			}
			if st := s.d.Stats(); st.Broken != broken {
				t.Errorf("%d lanes were broken, want %d", st.Broken, broken)
			}
			s.balanced()
		})
	}
}

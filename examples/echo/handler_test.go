package echo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo"
)

// newHandler returns a Handler whose functions write down their calls.
func newHandler(calls *[]string) *echo.Handler {
	config := &echo.Config{Server: "test", Max: 99}
	stats := []echo.Stats{echo.NewStats(nil), echo.NewStats(nil)}
	for i, s := range stats {
		s.Accepted.Store(int64(10 * (i + 1)))
		s.Closed.Store(int64(i + 1))
		s.BytesOut.Store(1 << 40)
	}
	return &echo.Handler{
		Commands: true,
		Report:   func() (any, error) { return config.Report(time.Now().Add(-time.Hour), stats), nil },
		Heard:    func() int { return 3 },
		Crash:    func() error { return errors.New("not today") },
		Tell: func(worker int, text string) error {
			*calls = append(*calls, fmt.Sprintf("tell %d %q", worker, text))
			return nil
		},
		Send: func(id uint64, text []byte, done func(error)) {
			*calls = append(*calls, fmt.Sprintf("send %d %q", id, text))
			done(nil)
		},
		Close: func(id uint64, done func(error)) {
			*calls = append(*calls, fmt.Sprint("close ", id))
			done(errors.New("no such luck"))
		},
	}
}

// run returns the answer to a command that came on connection 7.
func run(t *testing.T, h *echo.Handler, command string) string {
	t.Helper()
	var answers []string
	h.Run(7, command, func(reply string) { answers = append(answers, reply) })
	if len(answers) != 1 {
		t.Fatalf("Run(7, %.20q) answered %q, want one answer", command, answers)
	}
	return answers[0]
}

func TestRun(t *testing.T) {
	const largest = "18446744073709551615"
	for _, test := range []struct{ command, want, call string }{
		{"/id", "7", ""},
		{"/pid", strconv.Itoa(os.Getpid()), ""},
		{"/sleep 0", "slept", ""},
		{"/send 3 a  b ", "sent", `send 3 "a  b "`},
		{"/send 3 ", "sent", `send 3 ""`},
		{"/send " + largest + " x", "sent", "send " + largest + ` "x"`},
		{"/close 3", "error: no such luck", "close 3"},
		{"/heard", "3", ""},
		{"/tell 0 a  b ", "told", `tell 0 "a  b "`},
		{"/task x", "error: no task workers", ""},

		{"/id 7", "error: wrong arguments, want: /id", ""},
		{"/pid ", "error: wrong arguments, want: /pid", ""},
		{"/stats all", "error: wrong arguments, want: /stats", ""},
		{"/sleep", "error: wrong arguments, want: /sleep MS", ""},
		{"/sleep ", `error: cannot sleep "", want milliseconds, 0 to 60000`, ""},
		{"/sleep 1s", `error: cannot sleep "1s", want milliseconds, 0 to 60000`, ""},
		{"/sleep -1", `error: cannot sleep "-1", want milliseconds, 0 to 60000`, ""},
		{"/sleep 60001", `error: cannot sleep "60001", want milliseconds, 0 to 60000`, ""},
		{"/sleep 1 2", `error: cannot sleep "1 2", want milliseconds, 0 to 60000`, ""},
		{"/sleep 99999999999999999999", `error: cannot sleep "99999999999999999999", want milliseconds, 0 to 60000`, ""},
		{"/send 3", "error: wrong arguments, want: /send ID TEXT", ""},
		{"/send x y", `error: "x" is no connection ID`, ""},
		{"/send -3 y", `error: "-3" is no connection ID`, ""},
		{"/close", "error: wrong arguments, want: /close ID", ""},
		{"/close 3 4", "error: wrong arguments, want: /close ID", ""},
		{"/close x", `error: "x" is no connection ID`, ""},
		{"/close " + largest + "0", `error: "` + largest + `0" is no connection ID`, ""},
		{"/tell -1 x", `error: "-1" is no number of a worker`, ""},
		{"/tell 77777 x", `error: "77777" is no number of a worker`, ""},
		{"/heard 0", "error: wrong arguments, want: /heard", ""},
		{"/tell 0", "error: wrong arguments, want: /tell W TEXT", ""},
		{"/task", "error: wrong arguments, want: /task TEXT", ""},
		{"/crash", "error: not today", ""},
		{"/crash now", "error: wrong arguments, want: /crash", ""},
	} {
		var calls []string
		got := run(t, newHandler(&calls), test.command)
		if call := strings.Join(calls, ", "); got != test.want || call != test.call {
			t.Errorf("Run(7, %q) answered %q, called %q; want %q, %q", test.command, got, call, test.want, test.call)
		}
	}
}

func TestTask(t *testing.T) {
	h := &echo.Handler{Task: func(text string, done func(string, error)) {
		if text == "" {
			done("", errors.New("nothing to do"))
			return
		}
		done(strings.ToUpper(text), nil)
	}}
	for command, want := range map[string]string{
		"/task a  b ": "A  B ", "/task ": "error: nothing to do", "/task": "error: wrong arguments, want: /task TEXT",
	} {
		if got := run(t, h, command); got != want {
			t.Errorf("Run(7, %q) answered %q, want %q", command, got, want)
		}
	}
}

// An outcome that is known later is answered then, and not before.
func TestRunAnswersLater(t *testing.T) {
	var finish func(error)
	h := &echo.Handler{
		Send:  func(_ uint64, _ []byte, done func(error)) { finish = done },
		Close: func(_ uint64, done func(error)) { finish = done },
	}
	for _, test := range []struct {
		command string
		err     error
		want    string
	}{
		{"/send 3 x", nil, "sent"},
		{"/send 3 x", errors.New("not there"), "error: not there"},
		{"/close 3", nil, "closed"},
		{"/close 3", errors.New("not there"), "error: not there"},
	} {
		got := "nothing"
		h.Run(7, test.command, func(reply string) { got = reply })
		if got != "nothing" {
			t.Errorf("Run(7, %q) answered %q before the outcome is known", test.command, got)
		}
		if finish(test.err); got != test.want {
			t.Errorf("Run(7, %q) answered %q, want %q", test.command, got, test.want)
		}
	}
}

func TestAnswerIsOneShortLine(t *testing.T) {
	var calls []string
	h := newHandler(&calls)
	junk := strings.Repeat("\x00\r", 1<<16) + "\n"
	for _, command := range []string{"/", "/ ", "/ID", "/id\t", "/" + junk, "/sleep " + junk, "/send " + junk + " x", "/close " + junk, "/tell " + junk + " x", "/crash"} {
		got := run(t, h, command)
		if !strings.HasPrefix(got, "error: ") || strings.ContainsAny(got, "\r\n") || len(got) > 400 {
			t.Errorf("Run(7, %.20q) answered %.500q, want a short line that begins with error:", command, got)
		}
	}
}

func TestIsCommand(t *testing.T) {
	for payload, want := range map[string]bool{"/id": true, "/": true, "": false, "hello": false, " /id": false} {
		if got := (&echo.Handler{Commands: true}).IsCommand([]byte(payload)); got != want {
			t.Errorf("IsCommand(%q) = %v, want %v", payload, got, want)
		}
		if new(echo.Handler).IsCommand([]byte(payload)) {
			t.Errorf("IsCommand(%q) = true, without commands", payload)
		}
	}
}

func TestStatsAreOneLineOfJSON(t *testing.T) {
	var calls []string
	line := run(t, newHandler(&calls), "/stats")
	var got struct {
		Server   string
		Max      int
		PID      int
		Uptime   int64 `json:"uptime_ms"`
		Open     int   `json:"connections"`
		Spread   []int `json:"connections_by_worker"`
		Accepted int
		Out      int64 `json:"bytes_out"`
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("/stats = %s: %v", line, err)
	}
	if got.Server != "test" || got.Max != 99 || got.PID != os.Getpid() || got.Uptime < 3_600_000 ||
		got.Open != 27 || fmt.Sprint(got.Spread) != "[9 18]" || got.Accepted != 30 || got.Out != 1<<41 {
		t.Errorf("/stats = %s", line)
	}
}

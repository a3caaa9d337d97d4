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
	return &echo.Handler{
		Commands: true,
		Stats:    &echo.Stats{Config: &echo.Config{Server: "test", Max: 99}, Uptime: echo.Since{Time: time.Now().Add(-time.Hour)}},
		Send: func(id uint64, text []byte) error {
			*calls = append(*calls, fmt.Sprintf("send %d %q", id, text))
			return nil
		},
		Close: func(id uint64) error {
			*calls = append(*calls, fmt.Sprint("close ", id))
			return errors.New("no such luck")
		},
	}
}

func TestReply(t *testing.T) {
	const largest = "18446744073709551615"
	for _, test := range []struct{ payload, want, call string }{
		{"", "", ""},
		{"hello", "hello", ""},
		{" /id", " /id", ""},
		{"/id", "7", ""},
		{"/pid", strconv.Itoa(os.Getpid()), ""},
		{"/sleep 0", "slept", ""},
		{"/send 3 a  b ", "sent", `send 3 "a  b "`},
		{"/send 3 ", "sent", `send 3 ""`},
		{"/send " + largest + " x", "sent", "send " + largest + ` "x"`},
		{"/close 3", "error: no such luck", "close 3"},
		{"/heard", "error: no workers that /heard could reach", ""},
		{"/tell 0 x", "error: no workers that /tell could reach", ""},
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
		{"/close 3 4", `error: "3 4" is no connection ID`, ""},
		{"/close " + largest + "0", `error: "` + largest + `0" is no connection ID`, ""},
		{"/tell 0", "error: wrong arguments, want: /tell W TEXT", ""},
		{"/task", "error: wrong arguments, want: /task TEXT", ""},
		{"/crash now", "error: wrong arguments, want: /crash", ""},
	} {
		var calls []string
		got := newHandler(&calls).Reply(7, []byte(test.payload))
		if call := strings.Join(calls, ", "); string(got) != test.want || call != test.call {
			t.Errorf("Reply(7, %q) = %q, called %q; want %q, %q", test.payload, got, call, test.want, test.call)
		}
	}
}

func TestReplyIsOneShortLine(t *testing.T) {
	var calls []string
	h := newHandler(&calls)
	junk := strings.Repeat("\x00\r", 1<<16) + "\n"
	for _, payload := range []string{"/", "/ ", "/ID", "/id\t", "/" + junk, "/sleep " + junk, "/send " + junk + " x", "/close " + junk, "/crash"} {
		got := string(h.Reply(1, []byte(payload)))
		if !strings.HasPrefix(got, "error: ") || strings.ContainsAny(got, "\r\n") || len(got) > 400 {
			t.Errorf("Reply(1, %.20q) = %.500q, want a short line that begins with error:", payload, got)
		}
	}
}

func TestReplyWithoutCommands(t *testing.T) {
	h := &echo.Handler{Stats: new(echo.Stats)}
	payload := []byte("/id")
	if got := h.Reply(1, payload); &got[0] != &payload[0] || len(got) != len(payload) {
		t.Errorf("Reply(1, %q) = %q, want the same slice", payload, got)
	}
	if n := testing.AllocsPerRun(100, func() { h.Reply(1, payload) }); n != 0 {
		t.Errorf("Reply allocates %v times", n)
	}
}

func TestStatsIsJSON(t *testing.T) {
	var calls []string
	h := newHandler(&calls)
	h.Stats.BytesOut.Add(1 << 40)
	line := h.Reply(1, []byte("/stats"))
	var got struct {
		Server   string
		Max      int
		Uptime   int64 `json:"uptime_ms"`
		Requests int64
		Out      int64 `json:"bytes_out"`
	}
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("/stats = %s: %v", line, err)
	}
	if got.Server != "test" || got.Max != 99 || got.Requests != 1 || got.Out != 1<<40 || got.Uptime < 3_600_000 {
		t.Errorf("/stats = %s", line)
	}
}

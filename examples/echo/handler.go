package echo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const maxSleep = 60_000 // milliseconds

// A Handler answers requests. It knows a connection by its ID alone and reaches
// others through its functions, which it calls in the goroutine of Reply.
type Handler struct {
	Commands bool                               // payloads that begin with / are commands
	Stats    *Stats                             // what /stats shows; Reply counts requests
	Send     func(id uint64, text []byte) error // sends text, which it may keep, to a connection
	Close    func(id uint64) error              // closes a connection
}

// Reply returns the payload that answers the one that came on connection id: the
// same slice, if that is no command, else new memory. Only /sleep blocks.
func (h *Handler) Reply(id uint64, payload []byte) []byte {
	h.Stats.Requests.Add(1)
	if !h.Commands || len(payload) == 0 || payload[0] != '/' {
		return payload
	}
	text, err := h.run(id, string(payload))
	if err != nil {
		text = "error: " + err.Error()
	}
	return []byte(text)
}

// Blocks reports whether Reply may take long for payload. Replies to requests
// before it should be on their way by then.
func (h *Handler) Blocks(payload []byte) bool {
	return h.Commands && bytes.HasPrefix(payload, []byte("/sleep "))
}

// commands lists the commands as they are to be typed.
func commands() []string {
	return strings.Split("/pid,/id,/stats,/sleep MS,/send ID TEXT,/close ID,/tell W TEXT,/heard,/task TEXT,/crash", ",")
}

// run carries out the command in line. Its results hold no CRLF, since line
// holds none and what an error quotes is escaped.
func (h *Handler) run(id uint64, line string) (string, error) {
	name, rest, more := strings.Cut(line, " ")
	arg, text, andMore := strings.Cut(rest, " ")
	switch {
	case name == "/pid" && !more:
		return strconv.Itoa(os.Getpid()), nil
	case name == "/id" && !more:
		return strconv.FormatUint(id, 10), nil
	case name == "/stats" && !more:
		out, err := json.Marshal(h.Stats)
		return string(out), err
	case name == "/sleep" && more:
		return sleep(rest)
	case name == "/send" && andMore:
		return toConn(arg, "sent", func(id uint64) error { return h.Send(id, []byte(text)) })
	case name == "/close" && more:
		return toConn(rest, "closed", h.Close)
	case name == "/tell" && andMore, name == "/heard" && !more:
		return "", fmt.Errorf("no workers that %s could reach", name)
	case name == "/task" && more:
		return "", errors.New("no task workers")
	case name == "/crash" && !more:
		return "", errors.New("/crash refused: there is one process, and it has every connection")
	}
	for _, c := range commands() {
		if word, _, _ := strings.Cut(c, " "); word == name {
			return "", fmt.Errorf("wrong arguments, want: %s", c)
		}
	}
	return "", fmt.Errorf("unknown command %.32q, want one of: %s", name, strings.Join(commands(), ", "))
}

func sleep(ms string) (string, error) {
	n, err := strconv.ParseUint(ms, 10, 16)
	if err != nil || n > maxSleep {
		return "", fmt.Errorf("cannot sleep %.32q, want milliseconds, 0 to %d", ms, maxSleep)
	}
	time.Sleep(time.Duration(n) * time.Millisecond)
	return "slept", nil
}

// toConn calls do with the connection ID in arg, and answers done.
func toConn(arg, done string, do func(id uint64) error) (string, error) {
	id, err := strconv.ParseUint(arg, 10, 64)
	if err != nil {
		return "", fmt.Errorf("%.32q is no connection ID", arg)
	}
	return done, do(id)
}

package echo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/plait-go/plait/examples/echo/codec"
)

const (
	commands = "/pid, /id, /stats, /sleep MS, /send ID TEXT, /close ID, /tell W TEXT, /heard, /task TEXT, /crash"
	maxSleep = 60_000 // milliseconds
)

// A Handler carries out commands for one worker, through functions that it calls in
// the goroutine of Run. It knows connections by their IDs alone.
type Handler struct {
	Codec    codec.Codec                         // of the frames that Serve gets
	Commands bool                                // payloads that begin with / are commands
	Report   func() (any, error)                 // returns what /stats shows, for JSON
	Heard    func() int                          // returns how many messages the worker got
	Tell     func(worker int, text string) error // sends a worker a message
	Crash    func() error                        // kills the process, or says why not

	// Send writes text, which it may keep, to a connection, and Close closes one,
	// whichever worker has it. They call done in the goroutine of Run, now or later.
	Send  func(id uint64, text []byte, done func(error))
	Close func(id uint64, done func(error))

	// Task has a task worker carry out text, and calls done as Send does. Nil if there
	// are none.
	Task func(text string, done func(reply string, err error))
}

// IsCommand reports whether payload is for Run. If not, its frame is to be echoed.
func (h *Handler) IsCommand(payload []byte) bool {
	return h.Commands && len(payload) > 0 && payload[0] == '/'
}

// Run carries out a command that came on connection id, and calls answer in the
// same goroutine with the payload of the reply: at once, or later if it depends on
// another worker. Requests behind the command have to wait for that. Replies to
// those before it should be on their way by now: /sleep blocks.
func (h *Handler) Run(id uint64, command string, answer func(reply string)) {
	name, rest, _ := strings.Cut(command, " ")
	arg, text, andMore := strings.Cut(rest, " ")
	target, err := strconv.ParseUint(arg, 10, 64)
	switch {
	case name == "/send" && andMore && err == nil:
		h.Send(target, []byte(text), outcome("sent", answer))
	case name == "/close" && !andMore && err == nil:
		h.Close(target, outcome("closed", answer))
	case name == "/task" && strings.Contains(command, " ") && h.Task != nil:
		h.Task(rest, func(reply string, err error) { outcome(reply, answer)(err) })
	default:
		reply, err := h.run(id, command)
		outcome(reply, answer)(err)
	}
}

// outcome returns a function that answers with reply, or with an error.
func outcome(reply string, answer func(reply string)) func(error) {
	return func(err error) {
		if err != nil {
			reply = "error: " + err.Error()
		}
		answer(reply)
	}
}

// run carries out a command that reaches no connection. Its results hold no CRLF,
// since the command holds none and what an error quotes is escaped.
func (h *Handler) run(id uint64, command string) (string, error) {
	name, rest, more := strings.Cut(command, " ")
	arg, text, andMore := strings.Cut(rest, " ")
	switch {
	case name == "/pid" && !more:
		return strconv.Itoa(os.Getpid()), nil
	case name == "/id" && !more:
		return strconv.FormatUint(id, 10), nil
	case name == "/stats" && !more:
		report, err := h.Report()
		if err != nil {
			return "", err
		}
		out, err := json.Marshal(report)
		return string(out), err
	case name == "/sleep" && more:
		return sleep(rest)
	case name == "/send" && andMore, name == "/close" && more && !andMore:
		return "", fmt.Errorf("%.32q is no connection ID", arg)
	case name == "/tell" && andMore:
		return h.tell(arg, text)
	case name == "/heard" && !more:
		return strconv.Itoa(h.Heard()), nil
	case name == "/task" && more:
		return "", errors.New("no task workers")
	case name == "/crash" && !more:
		return "crashed", h.Crash()
	}
	for c := range strings.SplitSeq(commands, ", ") {
		if word, _, _ := strings.Cut(c, " "); word == name {
			return "", fmt.Errorf("wrong arguments, want: %s", c)
		}
	}
	return "", fmt.Errorf("unknown command %.32q, want one of: %s", name, commands)
}

func sleep(ms string) (string, error) {
	n, err := strconv.ParseUint(ms, 10, 16)
	if err != nil || n > maxSleep {
		return "", fmt.Errorf("cannot sleep %.32q, want milliseconds, 0 to %d", ms, maxSleep)
	}
	time.Sleep(time.Duration(n) * time.Millisecond)
	return "slept", nil
}

func (h *Handler) tell(arg, text string) (string, error) {
	worker, err := strconv.ParseUint(arg, 10, 16)
	if err != nil {
		return "", fmt.Errorf("%.32q is no number of a worker", arg)
	}
	return "told", h.Tell(int(worker), text)
}

// RefuseCrash is the Crash of a server that is one process.
func RefuseCrash() error {
	return errors.New("/crash refused: there is one process, and it has every connection")
}

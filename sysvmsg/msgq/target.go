//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/plait-go/plait/sysvmsg"
)

// A place is a queue as the command line names it.
type place struct {
	kind  string // file, key or id, as the flags; empty if none was given
	value string
}

// flags declares the three ways to name a queue.
func (q *place) flags(flags *flag.FlagSet) {
	for _, f := range []struct{ kind, usage string }{
		{"file", "the queue of a file: `PATH[:PROJECT]`, PROJECT being a character or 0x01 to 0xff"},
		{"key", "the queue with a `KEY`, as in 0x54010203"},
		{"id", "the queue with an `ID`"},
	} {
		flags.Func(f.kind, f.usage, func(value string) error { return q.set(f.kind, value) })
	}
}

// set keeps what a flag says; there can be one only.
func (q *place) set(kind, value string) error {
	if q.kind != "" {
		return fmt.Errorf("a queue is named by one of -file, -key and -id, and -%s was given", q.kind)
	}
	q.kind, q.value = kind, value
	return nil
}

// parsePlace takes a queue in one word: file:PATH[:PROJECT], key:KEY or id:ID.
func parsePlace(s string) (place, error) {
	kind, value, ok := strings.Cut(s, ":")
	if ok && (kind == "file" || kind == "key" || kind == "id") {
		return place{kind, value}, nil
	}
	return place{}, misused("%q is no place, want journal:PATH, file:PATH[:PROJECT], key:KEY or id:ID", s)
}

// What is asked of a queue: see [sysvmsg.Options].
const (
	toSend fs.FileMode = 0o200
	toRead fs.FileMode = 0o400
	toTake             = toSend | toRead // to send is to put back
)

// open opens the queue, which exists, for what is asked of it.
func (q *place) open(access fs.FileMode) (*sysvmsg.Queue, error) {
	if q.kind == "" {
		return nil, misused("no queue: give one of -file, -key and -id")
	}
	if q.kind == "id" {
		id, err := parseID(q.value)
		if err != nil {
			return nil, err
		}
		return sysvmsg.OpenID(id)
	}
	key, err := q.resolve()
	if err != nil {
		return nil, err
	}
	return sysvmsg.Open(key, &sysvmsg.Options{Create: sysvmsg.Existing, Mode: access})
}

// openOrCreate is open to send, of a queue that is created if c says so.
func (q *place) openOrCreate(c creation) (*sysvmsg.Queue, error) {
	switch {
	case !c.create && (c.mode != 0 || c.capacity != 0):
		return nil, misused("-mode and -capacity are for -create")
	case c.create && q.kind == "id":
		return nil, misused("-create is for -file and -key")
	}
	found, err := q.open(toSend)
	if !c.create || !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	key, err := q.resolve()
	if err != nil {
		return nil, err // there is no such file
	}
	return sysvmsg.Open(key, &sysvmsg.Options{Mode: c.mode, Capacity: c.capacity})
}

// resolve returns the key of a queue that was not named by its ID.
func (q *place) resolve() (sysvmsg.Key, error) {
	if q.kind == "key" {
		return parseKey(q.value)
	}
	path, project := splitProject(q.value)
	return sysvmsg.FileKey(path, project)
}

// parseID reads the number of a queue.
func parseID(s string) (int, error) {
	id, err := strconv.ParseInt(s, 10, 32)
	if err != nil || id < 0 {
		return 0, misused("-id %q makes no sense, want a number", s)
	}
	return int(id), nil
}

// parseKey reads a key that processes can share.
func parseKey(s string) (sysvmsg.Key, error) {
	key, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		return 0, misused("-key %q makes no sense, want something like 0x54010203", s)
	}
	if key == 0 {
		return 0, misused("-key 0 is that of every private queue; name one with -id")
	}
	return sysvmsg.Key(uint32(key)), nil
}

// splitProject takes PATH:PROJECT apart. What is behind the last colon belongs to
// the path unless it can be a project.
func splitProject(s string) (path string, project byte) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 1
	}
	path, last := s[:i], s[i+1:]
	if n, err := strconv.ParseUint(last, 0, 8); err == nil && strings.HasPrefix(last, "0x") && n > 0 {
		return path, byte(n)
	}
	if len(last) == 1 && last[0] > 0 {
		return path, last[0]
	}
	return s, 1
}

// A creation is how a queue is created that is not there.
type creation struct {
	create   bool
	mode     fs.FileMode // 0: not given
	capacity int         // 0: not given
}

func (c *creation) flags(flags *flag.FlagSet) {
	flags.BoolVar(&c.create, "create", false, "create the queue if it is not there")
	flags.Func("mode", "permissions of a queue that is created, in `OCTAL` (default 0600)", func(s string) error {
		mode, err := strconv.ParseUint(s, 8, 9)
		if err != nil || mode == 0 {
			return errors.New("want permissions such as 0640")
		}
		c.mode = fs.FileMode(mode)
		return nil
	})
	flags.Func("capacity", "capacity of a queue that is created, in `BYTES` (default the kernel's msgmnb)", func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return errors.New("want a number of bytes, 1 or more")
		}
		c.capacity = n
		return nil
	})
}

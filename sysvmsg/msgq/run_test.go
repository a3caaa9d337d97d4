//go:build linux

package main

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}} {
		r := msgq(t, args...)
		for _, c := range commands() {
			if r.code != exitDone || !strings.Contains(r.out, "\n  "+c.name+" ") || r.err != "" {
				t.Errorf("msgq %q = %d, %q, %q; want %s in it", args, r.code, r.out, r.err, c.name)
			}
		}
	}
	for _, c := range commands() {
		r := msgq(t, "help", c.name)
		if r.code != exitDone || !strings.HasPrefix(r.out, "Usage: msgq "+c.name+" ") || r.err != "" {
			t.Errorf("msgq help %s = %d, %q, %q", c.name, r.code, r.out, r.err)
		}
		if again := msgq(t, c.name, "-h"); again != r {
			t.Errorf("msgq %s -h = %+v; want what help says, %+v", c.name, again, r)
		}
		for line := range strings.Lines(r.out) {
			if len(line) > 100 || strings.Contains(line, " value\n") {
				t.Errorf("help %s: %q is too long, or does not say what the value is", c.name, line)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args  string
		words []string
	}{
		{"", []string{"no command", "msgq help "}},
		{"sned", []string{`unknown command "sned"`}},
		{"help sned", []string{`unknown command "sned"`}},
		{"stat", []string{"stat: ", "-file, -key and -id", "msgq help stat"}},
		{"stat -nix", []string{"stat: ", "-nix"}},
		{"stat -id 1 -id 2", []string{"-id was given"}},
		{"stat -id 1 -key 2", []string{"-id was given"}},
		{"stat -id 1x", []string{"-id"}},
		{"stat -id -1", []string{"-id"}},
		{"stat -id 99999999999", []string{"-id"}},
		{"stat -key x", []string{"-key"}},
		{"stat -key 0", []string{"private", "-id"}},
		{"stat -key 0x100000000", []string{"-key"}},
		{"stat -id 1 more", []string{`"more"`}},
		{"list more", []string{`"more"`}},
		{"remove -id 1 more", []string{`"more"`}},
		{"dump -id 1 more", []string{`"more"`}},
		{"dump -id 1 -journal x", []string{"exclude"}},
		{"dump -id 1 -bytes -1", []string{"-bytes"}},
		{"tail -id 1 more", []string{`"more"`}},
		{"tail -id 1 -interval 0s", []string{"-interval"}},
		{"clean more", []string{`"more"`}},
		{"clean -age -1s", []string{"-age"}},
		{"clean -key 0", []string{"private"}},
		{"clean -id x", []string{"-id"}},
		{"send -id 1 -type 0 x", []string{"-type", "from 1"}},
		{"send -id 1 -type 1x x", []string{"-type"}},
		{"send -id 1 -schema 65536 x", []string{"-schema", "65535"}},
		{"send -id 1 -wait -1s x", []string{"-wait", "forever"}},
		{"send -id 1 -whole x", []string{"-whole"}},
		{"send -id 1 -create x", []string{"-create"}},
		{"send -key 1 -create -mode 999 x", []string{"-mode"}},
		{"send -key 1 -create -mode 0 x", []string{"-mode"}},
		{"send -key 1 -create -capacity 0 x", []string{"-capacity"}},
		{"send -key 1 -mode 600 x", []string{"-create"}},
		{"send -key 1 -capacity 100 x", []string{"-create"}},
		{"receive -id 1 more", []string{`"more"`}},
		{"receive -id 1 -count -1", []string{"-count"}},
		{"receive -id 1 -type 3 -except 3", []string{"-type already"}},
		{"receive -id 1 -lowest x", []string{"-lowest"}},
		{"receive -id 1 -null -long", []string{"exclude"}},
		{"requeue -id 1", []string{"-from"}},
		{"requeue -id 1 -from id:1 more", []string{`"more"`}},
		{"requeue -id 1 -from id:1 -count -1", []string{"-count"}},
		{"requeue -id 1 -from id:1 -schema 1", []string{"-renew"}},
	} {
		msgq(t, strings.Fields(test.args)...).want(t, exitUsage, "", test.words...)
	}
}

func TestNoSuchQueue(t *testing.T) {
	q, id := queue(t, 0)
	must(t, q.Remove())
	for _, args := range []string{"stat", "send", "receive", "tail", "dump", "remove", "requeue -from id:" + id} {
		r := msgq(t, append(strings.Fields(args), "-id", id)...)
		r.want(t, exitNothing, "", "queue "+id, "does not exist")
	}
	r := msgq(t, "stat", "-file", filepath.Join(t.TempDir(), "none"))
	r.want(t, exitNothing, "", "none", "no such file")
	r = msgq(t, "stat", "-file", t.TempDir()+":\x01")
	r.want(t, exitNothing, "", "key 0x01")
}

// A broken writer fails after some writes.
type broken struct {
	writes int
	err    error
}

func (b *broken) Write(p []byte) (int, error) {
	if b.writes == 0 {
		return 0, b.err
	}
	b.writes--
	return len(p), nil
}

// Output that nobody takes is no reason to complain, but for others there are.
func TestOutputThatFails(t *testing.T) {
	_, id := queue(t, 0)
	for _, args := range []string{"help", "help send", "list", "list -json", "stat -id " + id, "stat -json -id " + id} {
		for err, want := range map[error]int{syscall.EPIPE: exitDone, errors.New("broken"): exitError} {
			var complaints strings.Builder
			code := run(within(t), strings.Fields(args), nil, &broken{err: err}, &complaints)
			if code != want || (want == exitDone) != (complaints.Len() == 0) {
				t.Errorf("msgq %s, output %v = %d, %q; want %d", args, err, code, complaints.String(), want)
			}
		}
	}
}

func TestSplitProject(t *testing.T) {
	for _, test := range []struct {
		in, path string
		project  byte
	}{
		{"/run/app", "/run/app", 1},
		{"/run/app:T", "/run/app", 'T'},
		{"/run/app:5", "/run/app", '5'},
		{"/run/app:0x05", "/run/app", 5},
		{"/run/app:0xff", "/run/app", 255},
		{"/run/app:0x00", "/run/app:0x00", 1},
		{"/run/app:0x100", "/run/app:0x100", 1},
		{"/run/a:p:T", "/run/a:p", 'T'},
		{"/run/a:pp", "/run/a:pp", 1},
		{"/run/app:", "/run/app:", 1},
		{"/run/app:\x00", "/run/app:\x00", 1},
	} {
		if path, project := splitProject(test.in); path != test.path || project != test.project {
			t.Errorf("splitProject(%q) = %q, %d; want %q, %d", test.in, path, project, test.path, test.project)
		}
	}
}

//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/plait-go/plait/examples/echo/echotest"
)

func TestWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-frame", "xml"}, `-frame "xml" is unknown, want raw, eof or length`},
		{[]string{"-max", "15"}, "-max 15 is too small, want 16 bytes at least"},
		{[]string{"-max", "-1"}, "-max -1 is too small"},
		{[]string{"-max", "2M"}, `invalid value "2M" for flag -max`},
		{[]string{"-workers", "0"}, "-workers 0 is out of range, want 1 to 1024"},
		{[]string{"-addr", "9501"}, `-addr "9501" makes no sense, want HOST:PORT or unix:PATH`},
		{[]string{"-addr", "unix:"}, `-addr "unix:" makes no sense`},
		{[]string{"-color"}, "not defined: -color"},
		{[]string{"9501"}, `"9501" is not a flag`},
	} {
		cmd := command(t, test.args...)
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != 2 {
			t.Errorf("%q: exit code = %d, want 2", test.args, code)
		}
		if out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), test.want) {
			t.Errorf("%q: stdout %q, stderr %q; want nothing and one line with %q", test.args, &out, &errs, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	cmd := command(t, "-h")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	for _, word := range []string{"-addr", "-frame", "-max", "-workers", "/stats", "nc -C"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("-h does not tell of %s:\n%s", word, text)
		}
	}
}

// fails runs a server that cannot listen on addr, and returns why.
func fails(t *testing.T, addr string) string {
	t.Helper()
	text, _ := command(t, "-addr", addr).CombinedOutput() // the code tells
	line := string(text)
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, "cannot serve") {
		t.Errorf("-addr %s: output %q, want one line", addr, line)
	}
	return line
}

func TestAddressInUse(t *testing.T) {
	p := start(t)
	if got := fails(t, p.Addr); !strings.Contains(got, "address already in use") {
		t.Errorf("stderr = %q", got)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	addr := "unix:" + path
	first := echotest.Start(t, command(t, "-addr", addr))
	if first.Addr != addr {
		t.Errorf("listening on %s, want %s", first.Addr, addr)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("Lstat = %v, %v; want a socket of mode 0600", info.Mode(), err)
	}
	if got := first.Dial(t).Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
	if got := fails(t, addr); !strings.Contains(got, "another process has it") {
		t.Errorf("stderr = %q", got)
	}

	first.Signal(t, syscall.SIGKILL)
	first.Wait(t)
	second := echotest.Start(t, command(t, "-addr", addr)) // on the file that the first one left
	c := second.Dial(t)
	if got := c.Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
	c.Send(t, "ends insi")
	c.CloseWrite(t)
	c.ExpectEnd(t)
	if complaints := second.Stop(t); len(complaints) != 1 {
		t.Errorf("complaints %q, want one", complaints)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("Lstat at the end: %v, want no file", err)
	}
}

// A server removes its own socket file, and not that of another, which has taken
// its place.
func TestUnixSocketOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	first := echotest.Start(t, command(t, "-addr", "unix:"+path))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := echotest.Start(t, command(t, "-addr", "unix:"+path))
	first.Stop(t)
	c := second.Dial(t)
	if got := c.Ask(t, "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
	c.HangUp(t)
	second.Stop(t)
}

func TestUnixSocketErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		file:                            "the file exists and is no socket",
		file + "/socket":                "not a directory",
		"/" + strings.Repeat("x", 120):  "the name has 121 bytes, a socket's may have 108",
		filepath.Dir(file) + "/no/file": "no such file or directory",
	} {
		if got := fails(t, "unix:"+addr); !strings.Contains(got, want) {
			t.Errorf("stderr = %q, want %q", got, want)
		}
	}
}

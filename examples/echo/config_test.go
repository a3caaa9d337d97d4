package echo

import (
	"errors"
	"flag"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/plait-go/plait/examples/echo/codec"
	"github.com/plait-go/plait/framing"
)

// read parses args for a server that has a flag -more of its own.
func read(args ...string) (*Config, error) {
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.Int("more", 0, "a flag of the server's own")
	return parse(flags, args)
}

func TestParse(t *testing.T) {
	c, err := read()
	if err != nil || c.Server != "test" || c.Addr != "127.0.0.1:9501" || c.Frame != "eof" || c.Max != framing.DefaultMax || c.Workers < 1 {
		t.Errorf("parse() = %+v, %v", c, err)
	}
	c, err = read("-addr", "unix:/a:b", "-frame=raw", "-max", "16", "-workers", "1024", "-more", "3")
	if err != nil || c.Addr != "unix:/a:b" || c.Codec != (codec.Raw{}) || c.Max != 16 || c.Workers != 1024 {
		t.Errorf("parse = %+v, %v", c, err)
	}
	if _, err := read("-h"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("parse(-h): %v, want flag.ErrHelp", err)
	}
	for args, want := range map[string]string{
		"-frame=lines":      "-frame",
		"-max=0":            "-max 0",
		"-max=1e6":          "-max",
		"-workers=-1":       "-workers",
		"-workers=1025":     "-workers",
		"-addr=":            "-addr",
		"-addr=localhost":   "-addr",
		"-addr=unix:":       "-addr",
		"-addr=tcp://a:1:2": "-addr",
		"-tasks=3":          "-tasks",
		"eof":               `"eof"`,
	} {
		if _, err := read(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%s): %v, want an error with %s", args, err, want)
		}
	}
}

func TestMainReturnsTheCode(t *testing.T) {
	serve := func(err error) func(*Config, *slog.Logger) error {
		return func(*Config, *slog.Logger) error { return err }
	}
	for _, test := range []struct {
		args  []string
		serve error
		want  int
	}{
		{nil, nil, 0},
		{[]string{"-h"}, io.EOF, 0},
		{nil, io.EOF, 1},
		{[]string{"-max=x"}, nil, 2},
		{nil, FlagError("-color is out of fashion"), 2},
	} {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		if got := Main(flags, test.args, "About.", serve(test.serve)); got != test.want {
			t.Errorf("Main(%q) = %d, want %d", test.args, got, test.want)
		}
	}
}

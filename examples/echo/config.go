package echo

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/plait-go/plait/examples/echo/codec"
	"github.com/plait-go/plait/framing"
)

// A Config is what the flags say.
type Config struct {
	Server  string      `json:"server"` // its name
	Addr    string      `json:"addr"`   // host:port, or unix: and the path of a socket
	Frame   string      `json:"frame"`  // raw, eof or length
	Codec   codec.Codec `json:"-"`      // of Frame
	Max     int         `json:"max"`    // limit on a frame in bytes, delimiter or header included
	Workers int         `json:"workers"`
}

// Main is what a server's main function does: it reads the flags in args, calls
// serve, and returns the exit code: 0, 1 if serve fails, 2 for flags that make
// no sense. A server may have added flags of its own. About is shown with -h.
func Main(flags *flag.FlagSet, args []string, about string, serve func(*Config, *slog.Logger) error) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	config, err := parse(flags, args)
	usage := err != nil
	if err == nil {
		err = serve(config, log)
		usage = errors.As(err, new(FlagError))
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		help(flags, about)
		return 0
	case usage:
		fmt.Fprintf(os.Stderr, "%s: %v (-h shows the flags)\n", flags.Name(), err)
		return 2
	}
	log.Error("cannot serve", "err", err)
	return 1
}

// A FlagError is how serve says what is wrong with a flag of its own.
type FlagError string

func (e FlagError) Error() string { return string(e) }

// parse reads and checks the flags in args.
func parse(flags *flag.FlagSet, args []string) (*Config, error) {
	c := &Config{Server: flags.Name()}
	flags.StringVar(&c.Addr, "addr", "127.0.0.1:9501", "listen on `HOST:PORT`, or on a socket file: unix:PATH")
	flags.StringVar(&c.Frame, "frame", "eof", "`KIND` of frame: eof (ends with CRLF), length (u32 big-endian, then as\nmany bytes) or raw (what one read returns)")
	flags.IntVar(&c.Max, "max", framing.DefaultMax, "close a connection whose frame is longer than `BYTES`, CRLF or length\nincluded")
	flags.IntVar(&c.Workers, "workers", runtime.GOMAXPROCS(0), "`NUMBER` of workers")
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag", flags.Arg(0))
	}
	return c, c.check()
}

// check reports the first flag that makes no sense, and sets Codec.
func (c *Config) check() (err error) {
	path, isPath := strings.CutPrefix(c.Addr, "unix:")
	_, _, addrErr := net.SplitHostPort(c.Addr)
	switch {
	case isPath && path == "", !isPath && addrErr != nil:
		return fmt.Errorf("-addr %q makes no sense, want HOST:PORT or unix:PATH", c.Addr)
	case c.Max < 16: // room for a length and a little more, or a command
		return fmt.Errorf("-max %d is too small, want 16 bytes at least", c.Max)
	case c.Workers < 1 || c.Workers > 1024:
		return fmt.Errorf("-workers %d is out of range, want 1 to 1024", c.Workers)
	}
	c.Codec, err = codec.New(c.Frame)
	return err
}

// help prints what -h shows.
func help(flags *flag.FlagSet, about string) {
	fmt.Fprintf(os.Stderr, "Usage: %s [flags]\n\nAn echo server: every frame comes back whole. %s\n\n", flags.Name(), about)
	flags.SetOutput(os.Stderr)
	flags.PrintDefaults()
	fmt.Fprintf(os.Stderr, "\nWith -frame eof a line that begins with / is a command, answered by one line:\n%s\n", commands)
	fmt.Fprintln(os.Stderr, "Lines end with CRLF, which nc sends with -C: nc -C 127.0.0.1 9501")
}

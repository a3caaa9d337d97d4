//go:build linux

package main

import (
	"bytes"
	"flag"
	"fmt"
)

const aboutProgram = `Usage: msgq COMMAND [flags] [arguments]

Sends, receives and inspects messages of System V queues: payloads in the envelopes
of package sysvmsg/envelope, or any bytes with -raw.

Commands:
`

const aboutRest = `
A queue is named by one of
  -file PATH[:PROJECT]  the key that ftok(3) makes of a file; PROJECT is a character
                        or 0x01 to 0xff, and 0x01 if it is left out
  -key KEY              a key, as in 0x54010203
  -id N                 the number that the kernel gave it

Exit codes:
  0  done, or the reader of the output has gone away
  1  error
  2  a command, flag or value that makes no sense
  3  not there: no such queue, no message, or no room for one, within -wait
  4  interrupted by SIGINT or SIGTERM before it was done; a second signal ends it at
     once, and with it the message that is in hand

"msgq help COMMAND" shows the flags of a command.
`

// overview is what "msgq help" shows.
func overview() []byte {
	var b bytes.Buffer
	b.WriteString(aboutProgram)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s  %s\n", c.name, c.does)
	}
	b.WriteString(aboutRest)
	return b.Bytes()
}

// explain shows what "msgq help" says of one command.
func explain(p *program, name string) error {
	c, err := find(name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Usage: msgq %s %s\n\n%s.\n", c.name, c.args, c.does)
	if c.more != "" {
		fmt.Fprintf(&b, "\n%s", c.more)
	}
	b.WriteString("\nFlags:\n")
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.setup(flags)
	flags.SetOutput(&b)
	flags.PrintDefaults()
	return p.print(b.Bytes())
}

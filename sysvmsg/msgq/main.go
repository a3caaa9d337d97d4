//go:build linux

// Msgq sends, receives and inspects the messages of System V queues, those in
// envelopes of package sysvmsg/envelope and any others.
//
//	go run github.com/plait-go/plait/sysvmsg/msgq help
//
// What it has received is on standard output, put back, or named on standard error:
// a signal or a full disk loses no message. Of a pipe whose reader has gone away, what
// was in it is lost, since it has been written; what comes after is put back.
package main

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

func main() {
	// A write to a pipe that nobody reads is an error then, and does not end the
	// process with a message in hand.
	signal.Ignore(unix.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	context.AfterFunc(ctx, stop)                                   // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) //nolint:forbidigo // the exit code of a program
}

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/userprocess"
)

// A broker is a Redis server of a test, on a socket in a folder of its own.
type broker struct {
	command *userprocess.Command
	process *userprocess.Process
	client  *redis.Client
	o       *options // of its workers
}

// newBroker starts a server that forgets everything at its end, if the arguments do not
// say otherwise. It ends with the test, or with the test's process.
func newBroker(t *testing.T, args ...string) *broker {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server; it is in Debian's package of that name")
	}
	dir, err := os.MkdirTemp("", "rq") //nolint:usetesting // the path of a socket has to be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	addr, log := filepath.Join(dir, "redis.sock"), filepath.Join(dir, "log")
	args = append([]string{"--port", "0", "--unixsocket", addr, "--logfile", log, "--save", "", "--appendonly", "no"}, args...)
	b := &broker{command: &userprocess.Command{Path: path, Args: args, Dir: dir}}
	b.o, err = parse([]string{"-addr", addr, "-workers", "4"})
	must(t, err)
	b.start(t)
	b.client = b.connect(t)
	t.Cleanup(func() {
		b.kill(t)
		if text, err := os.ReadFile(log); t.Failed() {
			t.Logf("log of redis-server (%v):\n%s", err, text)
		}
	})
	return b
}

// start starts the server, and waits until it serves.
func (b *broker) start(t *testing.T) {
	t.Helper()
	var err error
	b.process, err = b.command.Start(context.WithoutCancel(t.Context()))
	must(t, err)
	client := redis.NewClient(b.o.client())
	defer func() { must(t, client.Close()) }()
	await(t, "redis-server serves", func() bool { return client.Ping(t.Context()).Err() == nil })
}

// kill kills the server, which must have run until now.
func (b *broker) kill(t *testing.T) {
	t.Helper()
	_ = b.process.Kill() // how it has ended tells more
	if exit, err := b.process.Wait(); err != nil || exit.Signal != unix.SIGKILL {
		t.Errorf("redis-server: %v, %v; want it killed", exit, err)
	}
}

// connect returns a client, which is closed at the end of the test.
func (b *broker) connect(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(b.o.client())
	t.Cleanup(func() { must(t, client.Close()) })
	return client
}

// source returns a consumer that has a client of its own.
func (b *broker) source(t *testing.T, name string) *Source {
	t.Helper()
	s, err := Open(t.Context(), b.connect(t), b.o.queue(), name)
	must(t, err)
	return s
}

// submit adds messages to the stream, and returns their IDs.
func (b *broker) submit(t *testing.T, messages ...string) (ids []string) {
	t.Helper()
	added, err := b.client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for _, m := range messages {
			p.XAdd(t.Context(), &redis.XAddArgs{Stream: b.o.stream, Values: []string{payloadField, m}})
		}
		return nil
	})
	must(t, err)
	for _, cmd := range added {
		ids = append(ids, cmd.(*redis.StringCmd).Val())
	}
	return ids
}

// numbered returns n messages, each different.
func numbered(n int) (messages []string) {
	for i := range n {
		messages = append(messages, "message "+strconv.Itoa(i))
	}
	return messages
}

// length returns how many messages a stream has, and -1 if the server does not say.
func (b *broker) length(stream string) int64 {
	n, err := b.client.XLen(context.Background(), stream).Result()
	if err != nil {
		return -1
	}
	return n
}

// pending returns how many messages are with consumers.
func (b *broker) pending(t *testing.T) int64 {
	t.Helper()
	p, err := b.client.XPending(t.Context(), b.o.stream, b.o.group).Result()
	must(t, err)
	return p.Count
}

// dead returns the messages in the dead stream.
func (b *broker) dead(t *testing.T) []redis.XMessage {
	t.Helper()
	all, err := b.client.XRange(t.Context(), b.o.queue().Dead, "-", "+").Result()
	must(t, err)
	return all
}

// results returns the deliveries that have come to a result, in their order, by the ID
// of the message, and how many results are more than one for a message.
func (b *broker) results(t *testing.T) (all map[string][]int64, duplicates int) {
	t.Helper()
	found, err := b.client.XRange(t.Context(), b.o.results(), "-", "+").Result()
	must(t, err)
	all = make(map[string][]int64)
	for _, m := range found {
		id := m.Values["source"].(string)
		n, err := strconv.ParseInt(m.Values["deliveries"].(string), 10, 64)
		must(t, err)
		all[id] = append(all[id], n)
	}
	return all, len(found) - len(all)
}

// blocked returns how many clients wait for messages.
func (b *broker) blocked(t *testing.T) (n int) {
	t.Helper()
	info, err := b.client.Info(t.Context(), "clients").Result()
	must(t, err)
	_, rest, _ := strings.Cut(info, "blocked_clients:")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatalf("INFO clients = %q: %v", info, err)
	}
	return n
}

// awaitEmpty waits until nothing is left to do.
func (b *broker) awaitEmpty(t *testing.T) {
	t.Helper()
	await(t, "the stream is empty", func() bool { return b.length(b.o.stream) == 0 })
	if n := b.pending(t); n != 0 {
		t.Errorf("%d messages are pending, want none", n)
	}
}

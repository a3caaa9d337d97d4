//go:build linux

package procpool_test

import (
	"strings"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// What makes no sense is named, before anything is started.
func TestNewErrors(t *testing.T) {
	role := userprocess.Command{Role: "serve"}
	for _, test := range []struct {
		group   procpool.Group
		options procpool.Options
		want    string
	}{
		{group: procpool.Group{Command: role}, want: "a group has no name"},
		{group: procpool.Group{Name: "a", Command: role, Count: -1}, want: "group a: Count is -1, want 1 to 4096"},
		{group: procpool.Group{Name: "a", Command: role, Count: 4097}, want: "group a: Count is 4097, want 1 to 4096"},
		{group: procpool.Group{Name: "a", Command: role, Count: 4096}, want: "4097 workers, want 1 to 4096"},
		{group: procpool.Group{Name: "b", Command: role}, want: `two groups "b"`},
		{group: procpool.Group{Name: "a", Command: userprocess.Command{Role: "serve", Pipe: uds.Stream}}, want: "group a: Pipe and Grace of Command are the pool's"},
		{group: procpool.Group{Name: "a", Command: userprocess.Command{Role: "serve", Grace: 1}}, want: "group a: Pipe and Grace of Command are the pool's"},
		{group: procpool.Group{Name: "a", Command: role, Requests: -1}, want: "group a: Requests -1, Jitter 0"},
		{group: procpool.Group{Name: "a", Command: role, Jitter: -1}, want: "group a: Requests 0, Jitter -1"},
		{group: procpool.Group{Name: "a", Command: userprocess.Command{Path: "/bin/true"}, Requests: 1}, want: "group a: Requests of another program, which counts none"},
		{group: procpool.Group{Name: "a", Command: role, Kind: 2}, want: "group a: Kind 2, Policy 0"},
		{group: procpool.Group{Name: "a", Command: role, Restart: procpool.Restart{Policy: -1}}, want: "group a: Kind 0, Policy -1"},
		{group: procpool.Group{Name: "a", Command: role}, options: procpool.Options{Surge: -1}, want: "Surge -1, Words 0, Message 0"},
		{group: procpool.Group{Name: "a", Command: role}, options: procpool.Options{Words: 4097}, want: "Surge 0, Words 4097, Message 0"},
		{group: procpool.Group{Name: "a", Command: role}, options: procpool.Options{Message: -1}, want: "Surge 0, Words 0, Message -1"},
	} {
		pool, err := procpool.New([]*procpool.Group{{Name: "b", Command: role}, &test.group}, &test.options)
		if pool != nil || err == nil || err.Error() != "procpool: "+test.want {
			t.Errorf("%v; want procpool: %s", err, test.want)
		}
	}
	if _, err := procpool.New(nil, nil); err == nil || !strings.Contains(err.Error(), "0 workers, want 1 to 4096") {
		t.Errorf("no groups: %v", err)
	}
}

func TestNames(t *testing.T) {
	for want, got := range map[string]string{
		"manager":                 procpool.Address{Slot: 3}.String(),
		"web 3":                   procpool.Address{Group: "web", Slot: 3}.String(),
		"web 3.2":                 procpool.Address{Group: "web", Slot: 3, Incarnation: 2}.String(),
		"finished":                procpool.StateFinished.String(),
		"unknown":                 procpool.State(77).String(),
		"event 77":                procpool.EventKind(77).String(),
		"web 0.1 started (pid 5)": procpool.Event{Kind: procpool.Started, Group: "web", Incarnation: 1, PID: 5}.String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

//go:build linux

// Process is the echo server whose workers may die unnoticed: a master has all
// connections, in one event loop or several, cuts the frames, and sends them to worker
// processes; what those answer goes to the clients. A worker that is killed costs no
// connection, and no request but the one that it had begun: an echo is asked for once
// more, of another worker, and a command comes to "error: request lost".
//
//	          reactors of the master      lanes      workers
//	client ─▶ frames ─▶ Dispatcher ────────────────▶ Handler
//	client ◀─────────── Answered ◀───────────────────┘  │ /send, /close, /stats
//	                        ▲───────────────────────────┘ /task ─▶ task workers
//
// SIGINT and SIGTERM stop it gracefully: nobody is accepted, what comes within 100 ms
// and what is in hand is answered; a second one, after those 100 ms, ends it at once.
// SIGHUP and SIGUSR1 replace the workers, one after the other, without a connection
// that breaks or a request that is lost. SIGUSR2 does that for task workers.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/userprocess"
)

const about = `This one has
all connections in a master process, and worker processes that may die unnoticed.
SIGINT and SIGTERM stop it gracefully, a second one at once. SIGHUP and SIGUSR1
replace the workers, SIGUSR2 task workers.`

func main() {
	userprocess.Main(userprocess.Roles{
		manage.Workers: procpool.Work(work), manage.Tasks: procpool.Work(carryOut), watchers: procpool.Work(watch),
	})
	var o options
	os.Exit(echo.Main(o.flags(), os.Args[1:], about, func(config *echo.Config, log *slog.Logger) error {
		return run(config, log, &o)
	}))
}

// The options are what other servers do not have.
type options struct {
	manage.Options
	reactors int
	dispatch string
	delay    time.Duration
	watch    bool
}

// flags returns the flags that set them.
func (o *options) flags() *flag.FlagSet {
	flags := o.Flags("process")
	flags.IntVar(&o.reactors, "reactors", 1, "`NUMBER` of event loops in the master")
	flags.StringVar(&o.dispatch, "dispatch", "conn", "`POLICY` by which a request gets its worker: conn (that of its connection),\npeer (that of the client's address), round-robin, least-busy or first-idle;\nby the last three replies come as they are done, in any order")
	flags.DurationVar(&o.delay, "delay", 0, "`TIME` that a worker takes for each echo, as if it had work to do")
	flags.BoolVar(&o.watch, "watch", false, "have one more process that watches the workers, and shows in /stats")
	return flags
}

func (o *options) check() error {
	switch {
	case o.reactors < 1 || o.reactors > 1024:
		return echo.FlagError(fmt.Sprintf("-reactors %d is out of range, want 1 to 1024", o.reactors))
	case o.delay < 0:
		return echo.FlagError(fmt.Sprintf("-delay %v is less than 0", o.delay))
	}
	return o.Check()
}

// policy returns what -dispatch names.
func (o *options) policy() (dispatch.Policy, error) {
	switch o.dispatch {
	case "conn":
		return dispatch.Sticky(), nil
	case "peer":
		return dispatch.Keyed(), nil
	}
	for _, p := range []dispatch.Policy{dispatch.RoundRobin(), dispatch.LeastBusy(), dispatch.FirstIdle()} {
		if p.String() == o.dispatch {
			return p, nil
		}
	}
	return dispatch.Policy{}, echo.FlagError(fmt.Sprintf("-dispatch %q is unknown, want conn, peer, round-robin, least-busy or first-idle", o.dispatch))
}

// run serves until a signal stops it, or a loop fails.
func run(config *echo.Config, log *slog.Logger, o *options) error {
	policy, err := o.policy()
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	signals := manage.Signals()
	fd, addr, unlink, err := loop.Listen(config.Addr)
	if err != nil {
		return err
	}
	config.Addr = addr
	m, err := newMaster(config, log, o, policy)
	if err != nil {
		unlink()
		return err
	}
	if err := m.loops.Listen(fd, m.clients(), log); err != nil {
		unlink()
		return err
	}
	reload := func(sig os.Signal) { manage.Reload(m.pool, log, sig) }
	go manage.Watch(signals, log, func() { unlink(); m.stop() }, reload, m.kill) // ends with the program
	return m.run()
}

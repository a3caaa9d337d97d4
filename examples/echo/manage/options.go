//go:build linux

package manage

import (
	"flag"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// Workers and Tasks are the names of the groups, and the roles of their processes.
const (
	Workers = "worker"
	Tasks   = "task"
)

// Options are what servers with worker processes have besides an echo.Config.
type Options struct {
	Tasks        int // workers
	Drain, Grace time.Duration
}

// Flags returns the flags of a server that set them.
func (o *Options) Flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.IntVar(&o.Tasks, "tasks", 0, "`NUMBER` of task workers, for /task")
	flags.DurationVar(&o.Drain, "drain", procpool.DefaultDrain, "`TIME` that a worker has to finish what it has in hand, when another one\nhas taken its place")
	flags.DurationVar(&o.Grace, "grace", procpool.DefaultGrace, "`TIME` after that until it is killed")
	return flags
}

// Check reports what makes no sense.
func (o *Options) Check() error {
	switch {
	case o.Tasks < 0 || o.Tasks > 1024:
		return echo.FlagError(fmt.Sprintf("-tasks %d is out of range, want 0 to 1024", o.Tasks))
	case o.Drain <= 0 || o.Grace <= 0:
		return echo.FlagError(fmt.Sprintf("-drain %v and -grace %v must be more than 0", o.Drain, o.Grace))
	}
	return nil
}

// Args returns the flags that a worker gets of those of its server.
func Args(c *echo.Config) []string {
	return []string{
		"-addr", c.Addr, "-frame", c.Frame, "-max", strconv.Itoa(c.Max), "-workers", strconv.Itoa(c.Workers),
	}
}

// Groups returns the groups of processes, which get args, and the workers files, too.
func (o *Options) Groups(c *echo.Config, args []string, files map[string]syscall.Conn) []*procpool.Group {
	groups := []*procpool.Group{{
		Name: Workers, Count: c.Workers, Drain: o.Drain, Grace: o.Grace,
		Command: userprocess.Command{Role: Workers, Args: args, Files: files},
	}}
	if o.Tasks > 0 {
		groups = append(groups, &procpool.Group{
			Name: Tasks, Count: o.Tasks, Drain: o.Drain, Grace: o.Grace,
			Command: userprocess.Command{Role: Tasks, Args: args},
		})
	}
	return groups
}

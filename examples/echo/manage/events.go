//go:build linux

package manage

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/procpool"
)

// Events say what happens to the processes of a server. Event is for procpool.Options.
type Events struct {
	Config *echo.Config
	Log    *slog.Logger

	ready map[int]bool // slots of workers that have been, until all have
	all   bool
}

// Event notes what happens. When all workers are ready for the first time it says so on
// stdout.
func (s *Events) Event(e procpool.Event) {
	switch e.Kind {
	case procpool.Ready:
		s.isReady(e)
	case procpool.Exited:
		if !e.Expected {
			s.Log.Error(e.String())
		}
	case procpool.StartFailed, procpool.Waiting, procpool.Killed, procpool.Faulted:
		s.Log.Warn(e.String())
	default:
		s.Log.Debug(e.String())
	}
}

func (s *Events) isReady(e procpool.Event) {
	if s.all || e.Group != Workers {
		return
	}
	if s.ready == nil {
		s.ready = make(map[int]bool)
	}
	if s.ready[e.Slot] = true; len(s.ready) == s.Config.Workers {
		s.all, s.ready = true, nil
		fmt.Println("listening on", s.Config.Addr)
	}
}

// Reload replaces the workers, or the task workers, as sig asks for. It does not wait
// for that.
func Reload(pool *procpool.Pool, log *slog.Logger, sig os.Signal) {
	group := Workers
	if sig == syscall.SIGUSR2 {
		group = Tasks
	}
	go func() { // ends with the reload
		begun := time.Now()
		if err := pool.Reload(context.Background(), group); err != nil {
			log.Error("cannot reload", "err", err)
			return
		}
		log.Info("reloaded", "group", group, "took", time.Since(begun).Round(time.Millisecond))
	}()
}

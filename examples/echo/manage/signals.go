//go:build linux

package manage

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/plait-go/plait/examples/echo/loop"
)

// Signals returns those that Watch knows, from now on.
func Signals() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	return signals
}

// Watch does what signals ask for, for ever: SIGINT and SIGTERM to stop, and, if they
// come again later than loop.Grace, to do so by force; the others to reload.
func Watch(signals <-chan os.Signal, log *slog.Logger, stop func(), reload, force func(os.Signal)) {
	var began time.Time
	for sig := range signals {
		switch {
		case sig != syscall.SIGINT && sig != syscall.SIGTERM:
			reload(sig)
		case began.IsZero():
			began = time.Now()
			log.Info("stopping", "signal", sig)
			stop()
		case time.Since(began) < loop.Grace: // the same signal, sent to the process and to its group
		default:
			force(sig)
		}
	}
}

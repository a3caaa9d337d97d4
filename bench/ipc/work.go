//go:build linux

package ipc

import (
	"fmt"
	"slices"
	"time"
)

func send(e end, t Task) error {
	p := e.room(t.Size)
	for i := range t.Messages {
		number(p, i)
		if err := e.send(p); err != nil {
			return fmt.Errorf("send %d: %w", i, err)
		}
	}
	return e.flush()
}

func receive(e end, t Task) error {
	for i := range t.Messages {
		p, err := e.receive()
		if err != nil {
			return fmt.Errorf("receive %d: %w", i, err)
		}
		if err := verify(p, t.Size, i); err != nil {
			return err
		}
	}
	return nil
}

// ping sends, and waits for each message to come back. It fills in the times.
func ping(e end, t Task, times []int64) error {
	p := e.room(t.Size)
	for i := range t.Messages {
		number(p, i)
		from := time.Now()
		if err := e.send(p); err != nil {
			return fmt.Errorf("send %d: %w", i, err)
		}
		q, err := e.receive()
		if err != nil {
			return fmt.Errorf("receive %d: %w", i, err)
		}
		times[i] = int64(time.Since(from))
		if err := verify(q, t.Size, i); err != nil {
			return err
		}
	}
	return nil
}

// pong sends back what it receives.
func pong(e end, t Task) error {
	p := e.room(t.Size)
	for i := range t.Messages {
		q, err := e.receive()
		if err != nil {
			return fmt.Errorf("receive %d: %w", i, err)
		}
		if err := verify(q, t.Size, i); err != nil {
			return err
		}
		number(p, i)
		if err := e.send(p); err != nil {
			return fmt.Errorf("send %d: %w", i, err)
		}
	}
	return nil
}

// quantile returns the time that a part q of times does not exceed. It sorts times.
func quantile(times []int64, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[int(q*float64(len(times)-1))])
}

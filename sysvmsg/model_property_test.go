//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/sysvmsg"
)

// genOp makes ops, mostly to send and to receive.
func genOp(peek bool) gopter.Gen {
	verbs := strings.Split("send,send,send,try send,try send,try send,receive,receive,try receive,try receive,discard,capacity,permissions,remove", ",")
	if peek {
		verbs = append(verbs, "peek")
	}
	rules := []string{"any", "exact", "lowest", "except"}
	return func(p *gopter.GenParameters) *gopter.GenResult {
		o := op{
			verb:   verbs[p.Rng.Intn(len(verbs))],
			choice: choice{rules[p.Rng.Intn(len(rules))], sysvmsg.Type(p.Rng.Intn(7))},
			n:      p.Rng.Intn(300),
		}
		if o.verb == "remove" && p.Rng.Intn(4) > 0 {
			o.verb = "permissions" // it ends the rest
		}
		return gopter.NewGenResult(o, gopter.NoShrinker)
	}
}

// play carries ops out on a new queue and on its model, and returns how these differ.
func play(ctx context.Context, ops []op) (err error) {
	const capacity = 500
	q, err := sysvmsg.Open(sysvmsg.Private, &sysvmsg.Options{Capacity: capacity})
	if err != nil {
		return err
	}
	m := &model{capacity: capacity}
	defer func() {
		if !m.removed {
			err = errors.Join(err, q.Remove())
		}
	}()
	for i, o := range ops {
		if err := o.do(ctx, q, m, i); err != nil {
			return fmt.Errorf("op %d: %w", i, err)
		}
	}
	return nil
}

// Random lists of calls come to what a slice of messages does. PLAIT_SEED makes
// other lists.
func TestModel(t *testing.T) {
	checkLeaks(t)
	seed := int64(1)
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseInt(text, 0, 64)
		must(t, err)
	}
	parameters := gopter.DefaultTestParametersWithSeed(seed)
	parameters.MinSuccessfulTests, parameters.MaxSize = 500, 150
	properties := gopter.NewProperties(parameters)
	ctx, peek := within(t), canPeek(t)
	properties.Property(t.Name(), prop.ForAll(func(ops []op) *gopter.PropResult {
		if err := play(ctx, ops); err != nil {
			return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{err.Error()}}
		}
		return &gopter.PropResult{Status: gopter.PropTrue}
	}, gen.SliceOf(genOp(peek))))
	var report strings.Builder
	if !properties.Run(gopter.NewFormatedReporter(true, 1<<20, &report)) {
		t.Errorf("%s\nPLAIT_SEED=%d makes these trials again", report.String(), seed)
	}
}

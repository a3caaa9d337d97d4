//go:build linux

package epoll

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/plait-go/plait/uds/leaktest"
)

// genOp makes ops as often as verbs says.
func genOp() gopter.Gen {
	var bag []string
	for verb, times := range verbs() {
		bag = append(bag, slices.Repeat([]string{verb}, times)...)
	}
	slices.Sort(bag)
	return func(p *gopter.GenParameters) *gopter.GenResult {
		o := op{
			verb:   bag[p.Rng.Intn(len(bag))],
			which:  p.Rng.Intn(24),
			n:      1 + p.Rng.Intn(3000),
			inside: p.Rng.Intn(4) == 0,
		}
		return gopter.NewGenResult(o, shrinkOp)
	}
}

// shrinkOp tries an op with smaller numbers, and outside of a callback.
func shrinkOp(v any) gopter.Shrink {
	o := v.(op)
	var smaller []op
	if o.inside {
		smaller = append(smaller, op{o.verb, o.which, o.n, false})
	}
	if o.which > 0 {
		smaller = append(smaller, op{o.verb, 0, o.n, o.inside}, op{o.verb, o.which / 2, o.n, o.inside})
	}
	if o.n > 1 {
		smaller = append(smaller, op{o.verb, o.which, 1, o.inside}, op{o.verb, o.which, o.n / 2, o.inside})
	}
	return func() (any, bool) {
		if len(smaller) == 0 {
			return nil, false
		}
		next := smaller[0]
		smaller = smaller[1:]
		return next, true
	}
}

// play carries ops out on a new rig, brings it to its end, and returns what the
// Loop did wrong.
func play(w world, ops []op) *gopter.PropResult {
	r := newRig(w)
	list := make([]commands.Command, 0, len(ops)+1)
	for _, o := range ops {
		list = append(list, o)
	}
	list = append(list, op{verb: "finish"})
	result := commands.Replay(r, r, list...)
	if len(r.faults) > 0 {
		r.abandon()
	}
	return result
}

// abandon releases what a rig has open that was not brought to its end.
func (r *rig) abandon() {
	_ = r.l.Close() // or it has ended
	_ = r.end()     // what else is wrong follows from the first fault
}

// holds tries lists of ops in a world each, and fails t with the shortest one that
// it finds on which the Loop does wrong. PLAIT_SEED makes other lists.
func holds(t *testing.T, trials int, newWorld func(seed uint64) world) {
	t.Helper()
	seed := int64(1)
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseInt(text, 0, 64); err != nil {
			t.Fatalf("PLAIT_SEED: %v", err)
		}
	}
	parameters := gopter.DefaultTestParametersWithSeed(seed)
	parameters.MinSuccessfulTests, parameters.MaxSize = trials, 150
	properties := gopter.NewProperties(parameters)
	properties.Property(t.Name(), prop.ForAll(func(moods uint64, ops []op) *gopter.PropResult {
		return play(newWorld(moods), ops)
	}, gen.UInt64Range(0, 1000), gen.SliceOf(genOp())))
	var report strings.Builder
	if !properties.Run(gopter.NewFormatedReporter(true, 1<<20, &report)) {
		t.Errorf("%s\nPLAIT_SEED=%d makes these trials again", report.String(), seed)
	}
}

func TestModelOnFakeKernel(t *testing.T) {
	leaktest.Check(t)
	holds(t, 2000, func(seed uint64) world { return fakeWorld(t, seed) })
}

func TestModelOnRealKernel(t *testing.T) {
	for name, w := range map[string]Waiting{"park": Park, "block": Block} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			holds(t, 120, func(uint64) world { return realWorld(t, w) })
		})
	}
}

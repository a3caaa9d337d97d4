package framingtest

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/plait-go/plait/framing"
)

// maxReports bounds what is reported of one law.
const maxReports = 3

// seed makes the random cuts the same in every run.
const seed = 0x70_6c_61_69_74

var (
	errNoFrames = errors.New("framingtest: no sample frames") // a caller's mistake
	errEndless  = errors.New("more frames and errors than bytes")
)

// A checker runs the laws on one Splitter and gathers what breaks them.
type checker struct {
	splitter func() framing.Splitter
	frames   []string
	batches  bool // deliveries may be several frames at once
	rand     *rand.Rand
	errs     []error
	law      string
	reports  int // of the law
}

// TestSplitter checks the Splitters that splitter makes, a fresh one for each
// stream, against the laws. Each of frames is one whole frame; they should differ
// in length, one of them being the longest. It returns nil, or an error that
// names each law that was broken and the bytes that broke it.
func TestSplitter(splitter func() framing.Splitter, frames ...string) error {
	return run(&checker{splitter: splitter, frames: frames}, []law{
		{"split", (*checker).split},
		{"hint", (*checker).hint},
		{"data", (*checker).data},
		{"cut", (*checker).cut},
		{"end", (*checker).end},
		{"alias", (*checker).alias},
		{"limit", (*checker).limit},
		{"discard", (*checker).discard},
		{"memory", (*checker).memory},
	})
}

// TestBatcher is TestSplitter for a Splitter that takes as many whole frames at
// once as there are in hand, as [github.com/plait-go/plait/eof.Batch] does: how
// they are grouped may depend on how the stream was cut, nothing else.
func TestBatcher(splitter func() framing.Splitter, frames ...string) error {
	return run(&checker{splitter: splitter, frames: frames, batches: true}, []law{
		{"hint", (*checker).hint},
		{"data", (*checker).data},
		{"cut", (*checker).cut},
		{"end", (*checker).end},
		{"limit", (*checker).limit},
		{"discard", (*checker).discard},
		{"memory", (*checker).memory},
	})
}

// TestError checks that stream, cut in every way, yields the same frames and
// then the same error, for which errors.Is(err, want) holds. The limit is max
// bytes, [framing.DefaultMax] if 0.
func TestError(splitter func() framing.Splitter, stream string, max int, want error) error {
	c := &checker{splitter: splitter, frames: []string{stream}}
	return run(c, []law{{"error", func(c *checker) { c.broken(stream, max, want) }}})
}

// A law is a group of checks with a name.
type law struct {
	name  string
	check func(*checker)
}

// run checks the laws in turn. One that panics is broken, as the Splitter's
// caller would be.
func run(c *checker, laws []law) error {
	if len(c.frames) == 0 {
		return errNoFrames
	}
	c.rand = rand.New(rand.NewPCG(seed, seed))
	for _, l := range laws {
		c.law, c.reports = l.name, 0
		c.guard(l.check)
	}
	return errors.Join(c.errs...)
}

func (c *checker) guard(check func(*checker)) {
	defer func() {
		if v := recover(); v != nil {
			c.errorf("panic: %v", v)
		}
	}()
	check(c)
}

// errorf reports that the current law is broken. Few reports of a law are kept.
func (c *checker) errorf(format string, args ...any) {
	if c.reports++; c.reports <= maxReports {
		c.errs = append(c.errs, fmt.Errorf("framingtest: "+c.law+": "+format, args...))
	}
}

// failed reports whether the current law is known to be broken.
func (c *checker) failed() bool { return c.reports > 0 }

package fuzz_test

import "testing"

// FuzzSplit: frames, errors and ends depend on the stream alone, not on how it
// is cut, pushed or pulled, nor on where Split was asked before.
func FuzzSplit(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, shape, data, cuts []byte) {
		tt := newTrial(shape, data, cuts)
		short := tt.short()
		check(t, tt.chunkingInvariance(), tt.partition(), short.pushIsPull(), short.prefixDeterminism(), short.hintSafety())
	})
}

// check fails t with the first result that is not "".
func check(t *testing.T, results ...string) {
	t.Helper()
	if diff := firstOfAll(results...); diff != "" {
		t.Fatal(diff)
	}
}

// FuzzScanner: a bufio.Scanner with the same window sees the same frames.
func FuzzScanner(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, shape, data, cuts []byte) {
		tt := newTrial(shape, data, cuts)
		check(t, tt.scanLines(), tt.scanFrames())
	})
}

// FuzzDiscard: an oversize frame is one error and nothing else is missing; without
// Discard it is the end.
func FuzzDiscard(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, shape, data, cuts []byte) {
		tt := newTrial(shape, data, cuts)
		check(t, tt.sticky(), tt.discard())
	})
}

// FuzzSwitch: a second codec cuts, or nobody does, what the first one left.
func FuzzSwitch(f *testing.F) {
	for _, second := range seeds()[8:11] {
		addSeeds(f, second.shape, byte(1))
	}
	addSeeds(f, by(lines, 0), byte(2))
	f.Fuzz(func(t *testing.T, shape, data, cuts, second []byte, k byte) {
		check(t, newTrial(shape, data, cuts).switches(newSetup(second), int(k%8)))
	})
}

// FuzzReaderFaults: short reads, empty reads and expired deadlines lose nothing,
// and each expired deadline is reported once; so is the end, whenever it comes.
func FuzzReaderFaults(f *testing.F) {
	for _, s := range seeds() {
		for end := range byte(4) {
			f.Add(s.shape, s.data, []byte{crumbTimeout, 1, crumbBoth, 0, 0, 2, crumbTimeout, crumbTimeout, crumbBoth, 1}, end)
			f.Add(s.shape, s.data, s.cuts, end)
			f.Add(s.shape, s.data, []byte{crumbBoth, crumbBoth, crumbBoth, crumbBoth, crumbBoth}, end)
		}
	}
	f.Add(by(lines, 0), []byte("ab\n"), append(make([]byte, 250), 1, crumbTimeout), byte(0))
	f.Fuzz(func(t *testing.T, shape, data, crumbs []byte, end byte) {
		crumbs = crumbs[:min(len(crumbs), patience/2)]
		check(t, newTrial(shape, data, crumbs).readerFaults(end%2 == 1, end%4 > 1))
	})
}

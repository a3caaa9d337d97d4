package fuzz_test

import "testing"

// FuzzRoundTrip: payloads come back from the wire, whatever sink they went
// through, and a frame is what its payload is encoded to. Lengths cuts data into
// payloads, and crumbs are the sink's decisions.
func FuzzRoundTrip(f *testing.F) {
	addSeeds(f, []byte{})
	addSeeds(f, []byte{crumbTimeout, 1, crumbBoth, 0, 2})
	f.Fuzz(func(t *testing.T, shape, data, lengths, crumbs []byte) {
		tt := newTrial(shape, data, crumbs)
		var payloads [][]byte
		for chunk := range chunks(data, lengths) {
			payloads = append(payloads, chunk)
		}
		check(t, tt.decodeAfterEncode(payloads), tt.encodeAfterDecode())
	})
}

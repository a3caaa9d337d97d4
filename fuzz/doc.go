// Package fuzz tests packages framing, eof and lengthfield together: properties
// that hold for every codec, every stream and every way to cut it; fuzz targets
// for the same properties; and planted bugs, to see whether the tests find them.
// It fuzzes what decodes messages between processes, too. It has nothing to import.
//
// # Running
//
//	go test ./fuzz                                        # all of it
//	go test -short ./fuzz                                 # without the planted bugs
//	PLAIT_SEED=7 go test -short -count=1 ./fuzz           # other trials
//	go test -run '^$' -fuzz '^FuzzSplit$' -fuzztime 5m -fuzzminimizetime 1x ./fuzz
//
// The trials are the same ones each time, unless PLAIT_SEED is set; a failure
// names the seed, and shows its arguments shrunk. An input that a fuzzer fails
// on stays in testdata/fuzz, under a name that tells what it is about.
//
// # Trials
//
// A trial is three byte strings. The shape chooses a codec, Max, Discard, and
// how a consumer behaves: whether it leaves its loops, overwrites its frames,
// hides the Resyncer. Half of the delimiters have two letters, so that they
// overlap. The second is the stream, or the pieces one is made of, and the third
// the lengths of the chunks it arrives in. A generator shrinks what a fuzzer
// mutates: a shorter string with smaller bytes is always a simpler trial.
//
// What a trial should come to is told by a model, which knows neither chunks nor
// buffers, and asks an oracle in place of Split: naive search for delimiters,
// math/big for lengths, encoding/binary for varints.
//
// # Properties
//
//	01  chunking invariance    frames, errors, offsets and the end do not depend on
//	                           the chunks, and are those of the model     FuzzSplit
//	02  push is pull           Reader and Decoder agree, over flaky sources, too;
//	                           no byte or error is lost    FuzzSplit, FuzzReaderFaults
//	03  partition              frames and the rest, laid end to end, are the stream,
//	                           at every moment                            FuzzSplit
//	04  decode after encode    payloads come back, through a Writer with a flaky
//	                           sink                                   FuzzRoundTrip
//	05  encode after decode    a frame is what its payload is encoded to, where
//	                           there is one way to write it           FuzzRoundTrip
//	06  prefix determinism     more bytes do not change an answer         FuzzSplit
//	07  hint safety            where Split was asked before does not      FuzzSplit
//	08  locality               nor does what ended on a boundary before
//	09  oracle                 Split answers as the oracle does
//	                                            FuzzOracleEOF, FuzzOracleLength
//	10  bufio.Scanner          finds the same frames in the same window FuzzScanner
//	11  bounded memory         follows the bytes received, not a claim; large
//	                           buffers go; no allocation for each frame
//	12  linear work            Split looks at a byte about once, byte by byte, too
//	13  sticky or recovered    an error ends the stream, or with Discard costs just
//	                           its own frame                            FuzzDiscard
//	14  never reads past       what follows a frame does not matter, and a Reader
//	                           does not read while a frame is in hand
//	15  switch                 a second codec, or none, takes over without a byte
//	                           lost                                      FuzzSwitch
//
// # Messages
//
// FuzzEnvelope and FuzzJournal are about package sysvmsg/envelope: an envelope is
// accepted if it is what Append makes, byte for byte, and every byte of a journal is
// a record's or reported. FuzzBatch, FuzzChunk and FuzzChunkRoundTrip are about
// packages uds/batch and uds/chunk: naive readers of the same bytes say what must
// come out, within the limits of memory, and what a writer sends over a connection
// that refuses now and then comes out whole.
//
// # Mutants
//
// Each file of testdata/mutants is one bug: a sentence, the file it belongs to,
// and lines to replace. TestMutants builds the tests of this package around it,
// by an overlay, and fails if they pass. It fails, too, if the lines are not
// there exactly once: whoever changes them writes the mutant anew.
package fuzz

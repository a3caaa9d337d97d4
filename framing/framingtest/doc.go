// Package framingtest checks that a [framing.Splitter] keeps the laws that
// framing's Decoder and Reader rely on. It is to Splitters what testing/fstest is
// to file systems: a test calls it with a constructor and a few sample frames.
//
//	func TestMyProtocol(t *testing.T) {
//		err := framingtest.TestSplitter(
//			func() framing.Splitter { return new(myproto.Splitter) },
//			"\x01\x00", "\x02\x03abc",
//		)
//		if err != nil {
//			t.Error(err)
//		}
//	}
//
// What is checked, and how a failure is named:
//
//	split    a frame alone, before other bytes and before another frame has its own
//	         length; its beginnings are too short or already tell that length;
//	         an answer never depends on bytes behind the frame
//	hint     the answer is the same for every seen that the contract allows
//	data     Split does not write to data
//	cut      the same frames come out however the stream is cut: whole, byte by
//	         byte, in halves, in two at every place, at random; pushed and pulled
//	end      the stream may end between frames and nowhere else
//	alias    a frame may be overwritten, and appended to, without harm to the next
//	limit    a frame of Max bytes passes, one of Max+1 does not
//	discard  an oversize frame costs one error and no other frame, or ends the
//	         stream, and which of the two does not depend on the cut
//	memory   Split does not allocate, and a claimed length costs nothing
//	encode   AppendFrame and Payload undo each other, and dst is safe on error
//
// All functions are safe to call from parallel tests. They take some
// milliseconds for frames of a few hundred bytes: samples should be short.
package framingtest

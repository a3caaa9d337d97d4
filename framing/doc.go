// Package framing cuts byte streams into frames.
//
// TCP and SOCK_STREAM have no message boundaries: one read may bring half a
// frame or forty. A protocol marks the boundaries in the bytes themselves, by a
// delimiter or by a length, and a [Splitter] is all that is needed to find them:
// it tells how long the frame is that some bytes begin with. Packages eof and
// lengthfield have the usual ones; a function is one, too ([SplitterFunc]).
//
// The same Splitter serves both ways to receive:
//
//	pull   a goroutine reads:   Reader.Next, Reader.All     over any io.Reader
//	push   a reactor is called: Decoder.Frames(p)           for the bytes it got
//
// and an [Appender], its counterpart, serves a [Writer].
//
// # What a frame is
//
// A frame is everything that belongs to it on the wire, header and delimiter
// included. So the frames, one behind the other, are the stream:
//
//	bytes read   | a CR LF b b CR | LF c |             two reads
//	frames       | a CR LF | b b CR LF |               delivered, in order
//	Buffered                             | c |          not yet a frame
//
// Frames and errors do not depend on how the stream was cut into reads. What a
// frame carries is cut out of it by the codec's Payload.
//
// # Limits and errors
//
// Max bounds a frame, as a whole. A frame of Max bytes passes; as soon as Max
// bytes are in hand without an end, or a length says more, the frame is
// [ErrTooLong]. Memory follows the bytes received, never the length that a peer
// claims. With Discard an oversize frame that told its length, or whose end a
// [Resyncer] finds, is reported once and skipped, and no other frame is lost.
//
// A stream that ends between frames ends with [io.EOF], inside one with
// [io.ErrUnexpectedEOF]. A partial frame is never delivered as a frame. An
// [*Error] tells the place of the bad frame and its first bytes, for the one who
// has to find out who speaks HTTP to a port that wants a length.
//
// # Another protocol
//
// Bytes behind a frame that changes the protocol (STARTTLS, an upgrade, a body)
// stay visible in Buffered and survive Use, which switches the Splitter. Before
// TLS they must be none: whoever put them there did so before the handshake, and
// would be believed after it.
//
//	if len(r.Buffered()) > 0 {
//		return errors.New("bytes behind STARTTLS")
//	}
//
// # When not to use it
//
// Datagrams and SOCK_SEQPACKET have boundaries of their own. For lines of a file
// whose last line may lack its end, bufio.Scanner is right: here that line is
// an unfinished frame.
//
// # Ownership and concurrency
//
// A frame is a view of a buffer, valid until the next turn of the loop or the
// next call; bytes.Clone keeps it. Decoder, Reader and Writer belong to one
// goroutine at a time. Splitters without state are shared freely.
package framing

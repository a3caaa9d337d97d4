// Package eof splits a stream into frames that end with a delimiter, and builds
// such frames.
//
//	 frame           frame       frame   unfinished
//	┌───────────────┬───────────┬───────┬─────
//	│ P I N G \r \n │ G O \r \n │ \r \n │ B Y
//	└───────────────┴───────────┴───────┴─────
//	  payload         payload    an empty payload
//
// A frame keeps its delimiter, so that frames laid end to end are the stream;
// [Codec.Payload] is the frame without it. A frame ends where the first
// delimiter ends that lies wholly inside it: "aab" ends "aaab", and "aaa" is
// the frame "aa" and an unfinished "a" where the delimiter is "aa".
//
//   - [New]: one exact delimiter, or the one of several that ends first
//   - [Any]: any one byte of a set
//   - [Lines]: LF, and the payload loses a CR before it as well
//   - [Batch]: all the whole frames in hand, as one delivery
//
// # When not to use it
//
// A payload that may hold any byte needs an escape, of which this package knows
// none, or a length in front of it: see package lengthfield. [Codec.AppendFrame]
// refuses a payload that would not come back as it was; a peer may be less
// careful, and whoever chooses a part of a payload then chooses where frames
// begin. Every byte of a frame is looked at, so long payloads are cheaper with a
// length, too.
//
// # Limits
//
// No codec here limits a frame. Max of framing.Decoder and framing.Reader does,
// and counts the delimiter: a frame may be Max bytes long, and Max bytes without
// an end are too long at once. Every Splitter here is a framing.Resyncer, so
// with Discard an oversize frame is skipped up to the delimiter that ends it.
//
// # Concurrency
//
// A [Codec], and what [Batch] returns, never changes once it is made. One value
// serves every connection and any number of goroutines at once, without locks.
// No method blocks, retains its arguments or starts a goroutine.
//
// # Coming from elsewhere
//
// Swoole:
//
//	open_eof_split, package_eof   New(package_eof)
//	open_eof_check, package_eof   Batch(package_eof)
//	package_max_length            Max; it is taken as given, not raised to 64 KiB
//	eight bytes of package_eof    255 bytes
//
// Netty:
//
//	LineBasedFrameDecoder         Lines()
//	DelimiterBasedFrameDecoder    New(first, others...); the earliest end decides,
//	                              not the shortest payload
//	maxLength, maxFrameLength     Max, which counts the delimiter: add its length
//	stripDelimiter                true: use Codec.Payload; false: use the frame
//	failFast                      always; with Discard decoding goes on behind it
//
// tokio-util:
//
//	LinesCodec                    Lines()
//	AnyDelimiterCodec             Any(seek_delimiters)
//	sequence_writer               the first byte of the set
//	new_with_max_length(n)        Max = n + 1
//	skipping after the maximum    Discard
//	text left over at the end     an error from Decoder or Reader, never a frame
package eof

// Package lengthfield cuts frames whose header says how long they are, and
// writes such headers.
//
// A [Format] says where in the frame the length is, how it is encoded, and what
// it does not count. The last is one constant, Body:
//
//	bytes in the frame = Body + length
//
// AMQP 0-9-1 has a length that counts neither the seven bytes of its header nor
// the end mark, so it is Format{Type: 'N', Offset: 3, Body: 8}:
//
//	0              3            7                      7+length
//	+------+-------+------------+------------------------+------+
//	| type | chan. |   length   |        message         | 0xCE |
//	+------+-------+------------+------------------------+------+
//	|<-- Offset -->|<- Type N ->|<-------- length ------>|
//	|<------------- 7 --------->|         + Body 8       |<- 1->|
//	                            |<---------- Payload ---------->|
//
// [New] checks a Format once and makes a [Codec] of it. [Varint] makes a Codec
// for a length that is itself of variable size, as MQTT and Protocol Buffers
// have. A Codec is a [framing.Splitter] and a [framing.Appender]: framing's
// Decoder, Reader and Writer take it, and it works without them. It puts no
// limit on frames but that of int; Max of the Decoder or Reader does, and counts
// the whole frame.
//
// A Codec never changes: any number of streams and goroutines share one.
//
// Do not use this package where a delimiter ends the frame (package eof does),
// where the length is in decimal digits, where the frame is a sum of two fields
// (FastCGI) or a first byte tells how wide the field is (WebSocket): these want
// a [framing.SplitterFunc].
//
// # Types
//
// Type is a letter of PHP's pack, or one of two for 24 bits.
//
//	bytes  big endian  little endian  host order  signed, host order
//	  1        C             C            C               c
//	  2        n             v            S               s
//	  3        t             T
//	  4        N             V          L, I            l, i
//	  8        J             P            Q               q
//
// A negative length is corrupt. An unsigned one that int cannot hold is too
// long, and the error has its true size.
//
// # Common shapes
//
// With H for the end of the field, Offset and its width together:
//
//	the length counts               Body    for example
//	all behind the field            H       DNS over TCP        {'n', 0, 2}
//	the whole frame                 0       PostgreSQL's start  {'N', 0, 0}
//	itself and all behind it        Offset  PostgreSQL          {'N', 1, 1}
//	all behind h more header bytes  H+h     HTTP/2              {'t', 0, 9}, h = 6
//	all but a trailer of t bytes    H+t     AMQP 0-9-1          {'N', 3, 8}, t = 1
//
// All that stands behind the field is payload, be it header or trailer: Payload
// returns it and AppendFrame expects it. [Codec.AppendHeader] writes headers
// with content.
//
// # From Swoole
//
//	open_length_check      a Codec as Splitter of a framing.Decoder or Reader
//	package_length_type    Type
//	package_length_offset  Offset
//	package_body_offset    Body
//	package_length_func    framing.SplitterFunc in place of a Codec
//	package_max_length     Max; exact, without a floor of 64 KiB
//
// A length that ends the frame inside its own header is corrupt here; there it
// makes the rest of the header the next frame.
//
// # From Netty
//
// LengthFieldBasedFrameDecoder, with H = lengthFieldOffset + lengthFieldLength:
//
//	lengthFieldOffset    Offset
//	lengthFieldLength    Type: 1 is C, 2 n, 3 t, 4 N, 8 J; v, T, V, P if little endian
//	lengthAdjustment     Body = H + lengthAdjustment
//	initialBytesToStrip  Payload if it is H, else slice the frame
//	maxFrameLength       Max
//	failFast             always true: the error comes with the length
//
// A length of eight bytes with its top bit set is too long here, corrupt there.
//
// # From tokio-util
//
// LengthDelimitedCodec, with H as above for num_skip where that is not set:
//
//	length_field_offset        Offset
//	length_field_length        Type, as above; 5, 6 and 7 bytes have none
//	length_adjustment          Body = num_skip + length_adjustment
//	num_skip                   Payload if it is H, else slice the frame
//	max_frame_length           Max = Body + max_frame_length
//	big_endian, little_endian  Type
package lengthfield

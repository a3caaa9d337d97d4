// Package echo is what the example servers share: their flags, the three kinds
// of frames they speak, the handler that answers requests, and what they count.
//
//	  bytes          frame           payload         payload          bytes
//	─────────▶ Reader ─────▶ Payload ───────▶ Reply ─────────▶ Writer ──────▶
//	       or Decoder        (Codec)        (Handler)         (Codec)
//
// A Handler knows no socket, no frame and no goroutine but the caller's, so it
// runs the same behind a blocking connection, in the callback of an event loop,
// and in a worker process. The package is not a framework to build on: read it,
// then a server's main, and write your own.
//
// A [Config], a [Codec] and a [Handler] do not change once they are set up. Any
// number of goroutines share them, and [Stats] as well.
package echo

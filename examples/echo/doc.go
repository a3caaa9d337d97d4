// Package echo is what the example servers share: their flags, the three kinds
// of frames they speak, the commands they know, and what they count.
//
//	 bytes          frame                    frame        bytes
//	───────▶ Decoder ─────▶ Serve ─┬───────────────▶ Write ───────▶
//	                       command └─▶ Run ──────────▲
//
// A Handler knows no socket, no frame and no goroutine but the caller's, so it
// runs the same in the callback of an event loop and in a worker process. The
// package is no framework to build on: read it, then a server's main, and write
// your own. What it exports does not change once it is set up, but for [Stats].
package echo

// Package loop is the echo service on an event loop: what every server has in each of
// its workers, be they loops of one process or processes with a loop each.
//
//	  socket       epoll.Conn            Worker                epoll.Conn
//	─────────▶ Data ─────────▶ Decoder ─┬─ frame ────────────▶ Write ──────▶
//	                                    └─ command ─▶ Handler ─▶ ▲
//
// A Worker belongs to the goroutine of its loop. How it reaches other workers is the
// server's, which fills in the Handler.
package loop

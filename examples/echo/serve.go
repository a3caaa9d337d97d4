//go:build linux

package echo

import "github.com/plait-go/plait/procpool/lane"

// Serve answers a request, which is a frame that came on connection r.Tag, with what is
// to be written: the frame itself, or the reply to a command, now or later as Run does.
// It is the lane.Handler of all servers, called in their loop or in a worker process.
func (h *Handler) Serve(r *lane.Request) {
	if payload := h.Codec.Payload(r.Payload); h.IsCommand(payload) {
		h.serveCommand(r, string(payload))
		return
	}
	_ = r.Reply(r.Payload) // whoever has asked sees to the error
}

func (h *Handler) serveCommand(r *lane.Request, command string) {
	later := r.Later() // it may take long, and answers before it do not wait
	h.Run(r.Tag, command, func(reply string) {
		frame, err := h.Codec.AppendFrame(nil, []byte(reply))
		if err != nil {
			_ = later.Fail(err) // as above
			return
		}
		_ = later.Reply(frame) // as above
	})
}

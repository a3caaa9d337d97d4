//go:build linux

package chunk

// grow makes room for n more bytes of m, or reports that there is none.
func (r *Reassembler) grow(m *message, n int) bool {
	need := len(m.data) + n
	if need <= cap(m.data) {
		return true
	}
	room := r.limits.Pending - r.stats.Bytes + cap(m.data)
	var data []byte
	switch {
	case need <= cap(r.spare) && cap(r.spare) <= room:
		data, r.spare = r.spare, nil
	case need <= room:
		// The total is a claim: it may make this less, but not more.
		data = make([]byte, 0, min(need+min(need, room-need), int(m.header.Total)))
	default:
		return false
	}
	r.stats.Bytes += cap(data) - cap(m.data)
	m.data = append(data, m.data...)
	return true
}

// recycle keeps memory that is no longer used, if it is more than what is kept.
func (r *Reassembler) recycle(data []byte) {
	if cap(data) > cap(r.spare) && cap(data) <= r.limits.Spare {
		r.spare = data[:0]
	}
}

// drop ends a message that waits, for a reason that is counted.
func (r *Reassembler) drop(m *message, reason *uint64) {
	r.waiting.remove(m)
	r.forget(m)
	*reason++
	r.stats.Lost += uint64(m.packets)
	r.release(m)
}

// forget takes m off the books.
func (r *Reassembler) forget(m *message) {
	delete(r.messages, m.header.Sender)
	r.stats.Incomplete--
	r.stats.Held -= m.packets
	r.stats.Bytes -= cap(m.data)
}

// release keeps m and its memory for another message. There are no more of them than
// there were messages at once.
func (r *Reassembler) release(m *message) {
	r.recycle(m.data)
	*m = message{next: r.unused}
	r.unused = m
}

// A queue is the messages that wait, that which has waited longest first.
type queue struct{ first, last *message }

func (q *queue) add(m *message) {
	m.prev = q.last
	if q.last == nil {
		q.first = m
	} else {
		q.last.next = m
	}
	q.last = m
}

func (q *queue) remove(m *message) {
	if m.prev == nil {
		q.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		q.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.next, m.prev = nil, nil
}

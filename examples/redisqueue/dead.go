//go:build linux

package main

import (
	"context"
	"fmt"
)

// admit decides about a message that a consumer has been given, in one step for all
// who look at the stream, so that it is in one of the two streams, and never in both.
// It returns how often the message was delivered, or 0 if it is not to be handled: it
// is dead now, or with another consumer, or not there any more. If the first write
// fails, for want of memory say, nothing has happened.
//
// A server does not write to its file that XREADGROUP has counted a delivery of what
// was with the consumer before. XCLAIM, which changes nothing here, has it do so.
//
// KEYS: the stream, the dead one. ARGV: group, consumer, ID, deliveries allowed.
const admit = `
local stream, dead = KEYS[1], KEYS[2]
local group, consumer, id, allowed = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local pending = redis.call('XPENDING', stream, group, id, id, 1, consumer)
if #pending == 0 then
	return 0
end
local deliveries = pending[1][4]
local found = redis.call('XRANGE', stream, id, id)
if #found > 0 then
	if deliveries <= allowed then
		redis.call('XCLAIM', stream, group, consumer, 0, id, 'RETRYCOUNT', deliveries, 'JUSTID')
		return deliveries
	end
	redis.call('XADD', dead, '*', 'source', id, 'deliveries', deliveries, unpack(found[1][2]))
	redis.call('XDEL', stream, id)
end
redis.call('XACK', stream, group, id)
return 0
`

// admit returns how often a message was delivered, or 0 if it is not to be handled.
func (s *Source) admit(ctx context.Context, id string, whole bool) (int64, error) {
	allowed := s.q.Deliveries
	if !whole {
		allowed = 0 // it will never have a payload
	}
	n, err := s.client.Eval(ctx, admit, []string{s.q.Stream, s.q.Dead}, s.q.Group, s.consumer, id, allowed).Int64()
	if err != nil {
		return 0, fmt.Errorf("redisqueue: dead letters of %s: %s: %w", s.q.Stream, id, err)
	}
	return n, nil
}

-- Claims a job from the queue, unless another process holds it or it is not due.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 its queuedAs  3 now, and 4 the end of the lease, in ms  5 lock of its place in the queue
--       6 op: idempotency key of this call
-- Returns {"ok", token, record, op that led to it, input, output, trace}
--         {"early", time in ms from which it may be taken}; {"stale"}: it settled, was deleted, or was queued again
local t, id, queued, now, till, lock, op = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local job = t .. ':job:' .. id
local is = redis.call('HMGET', job, 'q', 'st', 'due', 's', 'op', 'i', 'o', 'held', 'token', 'claim', 'tr')
if is[1] ~= queued then return {'stale'} end
local led = string.match(is[5] or '', '^%S+')
if is[8] == '1' and is[10] == op then return {'ok', tonumber(is[9]), is[4], led, is[6], is[7], is[11]} end
if is[2] ~= 'PENDING' and is[2] ~= 'PROCESSING' then return {'stale'} end
if tonumber(is[3]) > tonumber(now) then return {'early', is[3]} end

-- Tokens follow the clock, so that a token is never reused, even after Redis lost the newest writes and the newest token
-- with them.
local clock = redis.call('TIME')
local token = math.max(tonumber(is[9] or 0) + 1, clock[1] * 1000000 + clock[2])
redis.call('HSET', job, 'token', string.format('%.0f', token), 'held', '1', 'due', till, 'lock', lock, 'claim', op)
redis.call('ZADD', t .. ':open', till, id)
return {'ok', token, is[4], led, is[6], is[7], is[11]}

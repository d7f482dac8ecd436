-- Gives a job to whoever found it in the queue, unless it is somebody else's or not due.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 what it was queued as  3 now, and 4 the end of the lease, in ms  5 lock of its place in the queue
--       6 op: names this call, so that one that is sent twice is made once
-- Returns {"ok", token, record, input, output}
--         {"early", ms} when it may be taken; {"stale"} it is settled, gone, or was queued anew
local t, id, queued, now, till, lock, op = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local job = t .. ':job:' .. id
local is = redis.call('HMGET', job, 'q', 'st', 'due', 's', 'i', 'o', 'held', 'token', 'claim')
if is[1] ~= queued then return {'stale'} end
if is[7] == '1' and is[9] == op then return {'ok', tonumber(is[8]), is[4], is[5], is[6]} end
if is[2] ~= 'PENDING' and is[2] ~= 'PROCESSING' then return {'stale'} end
if tonumber(is[3]) > tonumber(now) then return {'early', is[3]} end

local token = redis.call('HINCRBY', job, 'token', 1)
redis.call('HSET', job, 'held', '1', 'due', till, 'lock', lock, 'claim', op)
redis.call('ZADD', t .. ':open', till, id)
return {'ok', token, is[4], is[5], is[6]}

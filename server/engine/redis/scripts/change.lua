-- Stores one change of a job, if nobody changed it meanwhile: record, log, feed, lists, batch, hints.
-- What the change comes to was computed before; here it is only compared and set.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 the version that the change was computed from, and 3 the one it leads to
--       4 token of the claim under which it is made, or ""
--       5 op: names this call, so that one that is sent twice is made once
--       6 record  7 event  8 time in ms  9 owner  10 kind  11 status before  12 status after  13 attempt
--       14 when the next claim may take it, or "" to leave that  15 output, or "" to leave it  16 batch id or ""
-- Returns {"ok"}, and where that ended a claim its place in the queue: {"ok", queued as, lock};
--         {"gone"} no such job; {"lost"} the claim does not hold it; {"stale", record as it is}
local t, id, version, seq, claim, op = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local record, event, time, owner, kind = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local from, to, attempt, due, output, batch = ARGV[11], ARGV[12], ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local job = t .. ':job:' .. id
local o = t .. ':owner:' .. owner

local is = redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'q', 'lock', 'n')
if not is[1] then return {'gone'} end
if is[4] == op then return {'ok'} end
if claim ~= '' and not (is[2] == '1' and is[3] == claim) then return {'lost'} end
if is[1] ~= version then return {'stale', is[5]} end

redis.call('HSET', job, 's', record, 'v', seq, 'st', to, 'a', attempt, 'op', op)
redis.call('XADD', t .. ':log:' .. id, seq .. '-0', 'e', event)
redis.call('ZADD', o .. ':feed', redis.call('INCR', o .. ':rev'), id)
redis.call('SPUBLISH', t .. ':hint:job:' .. id, event)
redis.call('SPUBLISH', t .. ':hint:feed:' .. owner, '')
if output ~= '' then redis.call('HSET', job, 'o', output) end
if from == to then return {'ok'} end

redis.call('ZREM', o .. ':jobs:' .. kind .. ':' .. from, id)
redis.call('ZADD', o .. ':jobs:' .. kind .. ':' .. to, is[8], id)
redis.call('SPUBLISH', t .. ':hint:draft:' .. id, '')
if batch ~= '' then
  local b = t .. ':batch:' .. batch
  redis.call('HINCRBY', b, from, -1)
  redis.call('HINCRBY', b, to, 1)
  redis.call('HINCRBY', b, 'v', 1)
  redis.call('HSET', b, 'updated', time)
  redis.call('SPUBLISH', t .. ':hint:batch:' .. batch, '')
end
if to == 'PROCESSING' then return {'ok'} end

-- It does not run: nobody holds it any more.
redis.call('HSET', job, 'held', '0')
if to == 'PENDING' then
  redis.call('HSET', job, 'q', seq, 'due', due)
  redis.call('ZADD', t .. ':open', due, id)
  redis.call('ZREM', t .. ':finished', id)
else
  redis.call('ZREM', t .. ':open', id)
  redis.call('ZADD', t .. ':finished', time, id)
end
if is[2] == '1' then return {'ok', is[6], is[7]} end
return {'ok'}

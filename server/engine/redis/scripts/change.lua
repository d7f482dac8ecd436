-- Stores changes of jobs of one tenant, each if nobody changed its job meanwhile: record, log, feed, lists, batch, hints.
-- What a change comes to was computed before; here it is only compared and set. One that is refused does not concern
-- the others.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  for each change:
--       1 job id  2 the version that the change was computed from, and 3 the one it leads to
--       4 token of the claim under which it is made, or ""
--       5 op: names this call, so that one that is sent twice is made once
--       6 record  7 event  8 time in ms  9 owner  10 kind  11 status before  12 status after  13 attempt
--       14 when the next claim may take it, or "" to leave that  15 output, or "" to leave it  16 batch id or ""
--       where a claim begins with the change: 17 what the job was queued as  18 lock of its place in the queue
-- Returns for each change:
--         {"ok"}; where it ended a claim, that one's place in the queue: {"ok", queued as, lock}
--         where a claim began with it, its token: {"ok", token}
--         {"gone"} no such job; {"lost"} the claim does not hold it; {"stale", record as it is}
local FIELDS = 18
local t = KEYS[1]

local function change(id, version, seq, claim, op, record, event, time, owner, kind, from, to, attempt, due, output,
  batch, queued, lock)
  local job, o = t .. ':job:' .. id, t .. ':owner:' .. owner
  local is = redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'q', 'lock', 'n', 'due')
  if not is[1] then return {'gone'} end
  if is[4] == op then return queued ~= '' and {'ok', tonumber(is[3])} or {'ok'} end
  if claim ~= '' and not (is[2] == '1' and is[3] == claim) then return {'lost'} end
  if is[1] ~= version then return {'stale', is[5]} end
  if queued ~= '' and (is[6] ~= queued or tonumber(is[9]) > tonumber(time)) then return {'lost'} end

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
  if to == 'PROCESSING' then
    if queued == '' then return {'ok'} end
    redis.call('HSET', job, 'held', '1', 'due', due, 'lock', lock)
    redis.call('ZADD', t .. ':open', due, id)
    return {'ok', redis.call('HINCRBY', job, 'token', 1)}
  end

  -- It does not run: nobody holds it any more.
  if to == 'PENDING' then
    redis.call('HSET', job, 'held', '0', 'q', seq, 'due', due)
    redis.call('ZADD', t .. ':open', due, id)
    redis.call('ZREM', t .. ':finished', id)
  else
    redis.call('HSET', job, 'held', '0')
    redis.call('ZREM', t .. ':open', id)
    redis.call('ZADD', t .. ':finished', time, id)
  end
  if is[2] == '1' then return {'ok', is[6], is[7]} end
  return {'ok'}
end

local answers = {}
for i = 1, #ARGV, FIELDS do
  answers[#answers + 1] = change(unpack(ARGV, i, i + FIELDS - 1))
end
return answers

-- Stores jobs of a large batch where no read finds them: records, logs, lists. Other steps follow (`show-batch.lua`,
-- `land-jobs.lua`). The batch counts in the usage from the first call on.
--
-- uses places.lua new-jobs.lua staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of the creation  2 owner  3 batch id  4 idempotency key or ""
--       5 number of jobs that earlier calls stored  6 number of all jobs  7 bytes of all inputs, and of outputs that are not there
--       8 jobs that the tenant may have open, 0 for any number  9 bytes that it may have, 0 for any number
--       then for each job as create.lua
-- Returns {"ok"}, {"first", id of the batch that the key created before}, {"taken", an id that already exists}, {"full",
-- "waitingJobs" or "bytes"}, or {"gone"}: what earlier calls stored is not there any more
local op, owner, batch, key = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local before, all, bytes, most_open, most_bytes = unpack(ARGV, 5, 9)
before, all, bytes, most_open, most_bytes =
  tonumber(before), tonumber(all), tonumber(bytes), tonumber(most_open), tonumber(most_bytes)
local FIRST, FIELDS = 10, 11
local LEASE_MS = 30000
local o, staged = t .. ':owner:' .. owner, staged_key(batch)

local is = redis.call('HMGET', staged, 'by', 'state', 'stored', 'from', 'at')
local is_begin = before == 0 and not is[1]
if is_begin then
  local first = key ~= '' and redis.call('HGET', o .. ':batch-keys', key)
  if first then return {'first', first} end
  if redis.call('EXISTS', t .. ':batch:' .. batch) == 1 then return {'taken', batch} end
else
  if is[1] ~= op or is[2] ~= '' then return {'gone'} end
  -- A call may be sent twice. Redis may have lost one with its newest writes.
  if tonumber(is[3]) ~= before then return {tonumber(is[3]) > before and 'ok' or 'gone'} end
end
for i = FIRST, #ARGV, FIELDS do
  if redis.call('EXISTS', t .. ':job:' .. ARGV[i]) == 1 then return {'taken', ARGV[i]} end
end
local from, at = tonumber(is[4] or 0), tonumber(is[5] or now)
if is_begin then
  if most_open > 0 and count_open() + all > most_open then return {'full', 'waitingJobs'} end
  if most_bytes > 0 and tonumber(redis.call('GET', t .. ':bytes') or 0) + bytes > most_bytes then return {'full', 'bytes'} end
  redis.call('INCRBY', t .. ':bytes', bytes)
  -- The batch has a position too.
  from = redis.call('INCRBY', t .. ':n', all + 1) - all
  redis.call('HSET', staged, 'by', op, 'owner', owner, 'state', '', 'from', from, 'count', all, 'bytes', bytes, 'at',
    string.format('%.0f', at))
  redis.call('HSET', t .. ':staged', batch, all)
end

local n = from + before
for i = FIRST, #ARGV, FIELDS do
  local id, kind, record, input, event, priority, trace, delay, expiry, line = unpack(ARGV, i, i + FIELDS - 1)
  n = n + 1
  write_job(op, n, id, kind, record, input, event, priority, trace, line, '')
  if delay ~= '0' then redis.call('HSET', t .. ':job:' .. id, 'd', string.format('%.0f', at + delay)) end
  if expiry ~= '' then redis.call('HSET', t .. ':job:' .. id, 'x', string.format('%.0f', at + expiry)) end
  add(o .. ':jobs:' .. kind .. ':PENDING', n, id)
  add(t .. ':jobs:' .. kind .. ':PENDING', n, id)
  add(t .. ':jobs-of:' .. batch, n, id)
end
add_all()
redis.call('HSET', staged, 'stored', n - from, 'till', string.format('%.0f', now + LEASE_MS))
return {'ok'}

-- Stores a job, or a batch with all of its jobs: records, logs, feed, lists, places in the queue. All or nothing.
--
-- uses places.lua new-jobs.lua schedule-lists.lua staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call
--       2 owner  3 time in ms  4 idempotency key or ""
--       5 batch id or ""  6 constant fields of the batch
--       7 limit of the audit list, a space, entry; or ""
--       8 jobs that the tenant may have open, 0 for any number  9 bytes that it may have, 0 for any number
--       10 kind and key of debounced calls, or ""
--       then for each job: id, kind, record, input, event, priority, trace or "", ms until it may start, or "" if no claim may take
--         it, ms until it expires or "", "=" and the key for limits or "", id of the schedule that creates it or ""
-- Returns {"ok", moment in microseconds if this concerns the ring, else 0, the end of a delay in ms if it may be the tenant's first
-- one, else "", {kinds with jobs that are not held back}}, {"debounced", id of the job that waits for its first start under the
-- key}, {"first", id of the job or batch that the key created before}, {"taken", an id that already exists}, or {"full",
-- "waitingJobs" or "bytes"}
local op, owner, time, key, batch, debounce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[10]
local FIRST, FIELDS = 11, 11
local o = t .. ':owner:' .. owner
local keys = o .. (batch == '' and ':job-keys' or ':batch-keys')

if key ~= '' then
  local first = redis.call('HGET', keys, key)
  if first then return {'first', first} end
end
local function taken(record, id)
  local is = redis.call('HMGET', record, 'v', 'by')
  if not is[1] then return nil end
  return is[2] == op and {'ok', moment, '', redis.call('HKEYS', t .. ':ready')} or {'taken', id}
end
local refused = batch ~= '' and taken(t .. ':batch:' .. batch, batch)
if refused then return refused end
for i = FIRST, #ARGV, FIELDS do
  refused = taken(t .. ':job:' .. ARGV[i], ARGV[i])
  if refused then return refused end
end

-- A claim that has taken a job has its input. One that has expired is about to end.
local waiting
if debounce ~= '' then
  local id = redis.call('HGET', o .. ':debounced', debounce)
  local is = id and redis.call('HMGET', t .. ':job:' .. id, 'st', 'held', 'db', 'x', 'i') or {}
  local is_over = is[4] and tonumber(is[4]) <= now
  if is[1] == 'PENDING' and is[2] ~= '1' and is[3] == debounce and not is_over then waiting = {id, #is[5]} end
end

local created = (#ARGV - FIRST + 1) / FIELDS
local bytes, most_open, most_bytes = 0, tonumber(ARGV[8]), tonumber(ARGV[9])
-- An output that is not there yet is 'null'.
for i = FIRST, #ARGV, FIELDS do bytes = bytes + #ARGV[i + 3] + 4 end
if waiting then
  local more = bytes - 4 - waiting[2]
  local is_full = most_bytes > 0 and more > 0 and tonumber(redis.call('GET', t .. ':bytes') or 0) + more > most_bytes
  return is_full and {'full', 'bytes'} or {'debounced', waiting[1]}
end
if most_open > 0 and count_open() + created > most_open then return {'full', 'waitingJobs'} end
if most_bytes > 0 and tonumber(redis.call('GET', t .. ':bytes') or 0) + bytes > most_bytes then return {'full', 'bytes'} end
redis.call('INCRBY', t .. ':bytes', bytes)
local rev = redis.call('INCRBY', t .. ':rev', created) - created
redis.call('SET', o .. ':rev', rev + created)
local n = redis.call('INCRBY', t .. ':n', created + 1) - created
if ARGV[7] ~= '' then
  redis.call('XADD', t .. ':audit', 'MAXLEN', string.match(ARGV[7], '^%d+'), n .. '-0', 'e', ARGV[7])
end
if batch ~= '' then
  redis.call('HSET', t .. ':batch:' .. batch, 'b', ARGV[6], 'by', op, 'v', 1, 'updated', time, 'PENDING', created, 'key', key)
  redis.call('ZADD', o .. ':batches', n, batch)
  redis.call('ZADD', t .. ':batches', n, batch)
  if key ~= '' then redis.call('HSET', keys, key, batch) end
end
local kinds = {}
for i = FIRST, #ARGV, FIELDS do
  local id, kind, record, input, event, priority, trace, delay, expiry, line, schedule = unpack(ARGV, i, i + FIELDS - 1)
  rev, n = rev + 1, n + 1
  write_job(op, n, id, kind, record, input, event, priority, trace, line, schedule)
  kinds[kind] = true
  for _, all in ipairs({o, t}) do
    add(all .. ':feed', rev, id)
    add(all .. ':jobs:' .. kind .. ':PENDING', n, id)
    if schedule ~= '' then list_of_schedule(all, schedule, kind, 'PENDING', n, id) end
  end
  if delay ~= '' then queue(n, id, kind, line ~= '' and string.sub(line, 2), priority, now + delay) end
  if expiry ~= '' then
    local ends = string.format('%.0f', now + expiry)
    redis.call('HSET', t .. ':job:' .. id, 'x', ends)
    add(t .. ':expiring', ends, id)
  end
  if debounce ~= '' then
    redis.call('HSET', t .. ':job:' .. id, 'db', debounce)
    redis.call('HSET', o .. ':debounced', debounce, id)
  end
  if batch ~= '' then
    add(t .. ':jobs-of:' .. batch, n, id)
  else
    redis.call('HSET', t .. ':job:' .. id, 'by', op)
    if key ~= '' then
      redis.call('HSET', t .. ':job:' .. id, 'key', key)
      redis.call('HSET', keys, key, id)
    end
  end
end
for kind in pairs(kinds) do
  redis.call('SADD', o .. ':kinds', kind)
  redis.call('SADD', t .. ':kinds', kind)
end
local answer = {'ok', queue_all()}
redis.call('SPUBLISH', t .. ':hint:feed:' .. owner, '')
redis.call('SPUBLISH', t .. ':hint:feed:', '')
return answer

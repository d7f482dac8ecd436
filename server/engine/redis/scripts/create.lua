-- Stores a job, or a batch with all of its jobs: records, logs, feed, lists, places in the queue. All or nothing.
--
-- uses places.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call
--       2 owner  3 time in ms  4 idempotency key or ""
--       5 batch id or ""  6 constant fields of the batch
--       7 limit of the audit list, a space, entry; or ""
--       8 jobs that the tenant may have open, 0 for any number  9 bytes that it may have, 0 for any number
--       10 kind and key of debounced calls, or ""
--       then for each job: id, kind, record, input, event, priority, trace or "", ms until it may start or "": no claim may take
--         it, ms until it expires
--         or "", "=" and the key for limits or ""
-- Returns {"ok", moment in microseconds if this concerns the ring, else 0, the end of a delay in ms if it may be the tenant's first
-- one, else "", {kinds with jobs that are not held back}}, {"debounced", id of the job that waits for its first start under the
-- key}, {"first", id of the job or batch that the key created before}, {"taken", an id that already exists}, or {"full",
-- "waitingJobs" or "bytes"}
local op, owner, time, key, batch, debounce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[10]
local FIRST, FIELDS = 11, 10
local o = t .. ':owner:' .. owner
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local now = math.floor(moment / 1000)
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
local function unsettled()
  local sum = redis.call('ZCARD', t .. ':delayed') + redis.call('ZCARD', t .. ':leased')
  for _, n in ipairs(redis.call('HVALS', t .. ':ready')) do sum = sum + n end
  return sum
end
if most_open > 0 and unsettled() + created > most_open then return {'full', 'waitingJobs'} end
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
-- Members of sorted sets, added in one call to each set.
local sets = {}
local function add(key, score, member)
  local members = sets[key] or {}
  sets[key] = members
  members[#members + 1] = score
  members[#members + 1] = member
end
local had_ready, was_free = redis.call('EXISTS', t .. ':ready') == 1, {}
local first_delay = redis.call('ZRANGE', t .. ':delayed', 0, 0, 'WITHSCORES')[2]
local alarm = math.huge
-- `keyless`: how many jobs of each kind are ready and have no key.
local kinds, keyless = {}, {}
for i = FIRST, #ARGV, FIELDS do
  local id, kind, record, input, event, priority, trace, delay, expiry, line = unpack(ARGV, i, i + FIELDS - 1)
  rev, n = rev + 1, n + 1
  redis.call('HSET', t .. ':job:' .. id, 'n', n, 's', record, 'i', input, 'v', 1, 'st', 'PENDING', 'kind', kind,
    'op', op, 'u', #input + 4)
  if priority ~= '0' then redis.call('HSET', t .. ':job:' .. id, 'p', priority) end
  if trace ~= '' then redis.call('HSET', t .. ':job:' .. id, 'tr', trace) end
  redis.call('RPUSH', t .. ':log:' .. id, event)
  kinds[kind] = true
  if was_free[kind] == nil then was_free[kind] = is_free(kind) end
  for _, all in ipairs({o, t}) do
    add(all .. ':feed', rev, id)
    add(all .. ':jobs:' .. kind .. ':PENDING', n, id)
  end
  local of_limits = line ~= '' and string.sub(line, 2)
  if of_limits then redis.call('HSET', t .. ':job:' .. id, 'k', of_limits) end
  if delay == '' then
    -- It has no place in the queue.
  elseif delay ~= '0' then
    alarm = math.min(alarm, now + delay)
    add(t .. ':delayed', string.format('%.0f', now + delay), id)
  elseif of_limits then
    enter(kind, of_limits, member(n, id), rank_of(now, priority))
  else
    keyless[kind] = (keyless[kind] or 0) + 1
    add(t .. ':queue:' .. kind, rank_of(now, priority), member(n, id))
  end
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
for kind, ready in pairs(keyless) do count(':ready', kind, ready) end
for kind in pairs(kinds) do
  redis.call('SADD', o .. ':kinds', kind)
  redis.call('SADD', t .. ':kinds', kind)
end
-- Lua's limit on arguments is some thousands.
local AT_ONCE = 1000
for set, members in pairs(sets) do
  for i = 1, #members, AT_ONCE do
    redis.call('ZADD', set, unpack(members, i, math.min(i + AT_ONCE - 1, #members)))
  end
end
redis.call('SPUBLISH', t .. ':hint:feed:' .. owner, '')
redis.call('SPUBLISH', t .. ':hint:feed:', '')
local free, is_news = {}, not had_ready and redis.call('EXISTS', t .. ':ready') == 1
for kind in pairs(kinds) do
  if is_free(kind) then
    free[#free + 1] = kind
    is_news = is_news or not was_free[kind]
  end
end
local is_first = alarm < tonumber(first_delay or math.huge)
return {'ok', is_news and moment or 0, is_first and string.format('%.0f', alarm) or '', free}

-- Stores a job, or a batch with all of its jobs: records, logs, feed, lists, places in the queue. All or nothing.
--
-- uses places.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call
--       2 owner  3 time in ms  4 idempotency key or ""
--       5 batch id or ""  6 constant fields of the batch
--       7 limit of the audit list, a space, entry; or ""
--       8 jobs that the tenant may have open, 0 for any number  9 bytes that it may have, 0 for any number
--       then for each job: id, kind, record, input, event, priority, trace or "", "=" and the key for limits or ""
-- Returns {"ok", moment in microseconds if this concerns the ring, else 0, {kinds with jobs that are not held back}}, {"first", id of the job
-- or batch that the key created before}, {"taken", an id that already exists}, or {"full", "waitingJobs" or "bytes"}
local op, owner, time, key, batch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local FIRST, FIELDS = 10, 8
local o = t .. ':owner:' .. owner
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local keys = o .. (batch == '' and ':job-keys' or ':batch-keys')

if key ~= '' then
  local first = redis.call('HGET', keys, key)
  if first then return {'first', first} end
end
local function taken(record, id)
  local is = redis.call('HMGET', record, 'v', 'by')
  if not is[1] then return nil end
  return is[2] == op and {'ok', moment, redis.call('HKEYS', t .. ':ready')} or {'taken', id}
end
local refused = batch ~= '' and taken(t .. ':batch:' .. batch, batch)
if refused then return refused end
for i = FIRST, #ARGV, FIELDS do
  refused = taken(t .. ':job:' .. ARGV[i], ARGV[i])
  if refused then return refused end
end

local created = (#ARGV - FIRST + 1) / FIELDS
local bytes, most_open, most_bytes = 0, tonumber(ARGV[8]), tonumber(ARGV[9])
-- An output that is not there yet is 'null'.
for i = FIRST, #ARGV, FIELDS do bytes = bytes + #ARGV[i + 3] + 4 end
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
local kinds = {}
for i = FIRST, #ARGV, FIELDS do
  local id, kind, record, input, event, priority, trace, line = unpack(ARGV, i, i + FIELDS - 1)
  rev, n = rev + 1, n + 1
  redis.call('HSET', t .. ':job:' .. id, 'n', n, 's', record, 'i', input, 'v', 1, 'st', 'PENDING', 'kind', kind,
    'op', op, 'u', #input + 4)
  if priority ~= '0' then redis.call('HSET', t .. ':job:' .. id, 'p', priority) end
  if trace ~= '' then redis.call('HSET', t .. ':job:' .. id, 'tr', trace) end
  redis.call('RPUSH', t .. ':log:' .. id, event)
  kinds[kind] = (kinds[kind] or 0) + (line == '' and 1 or 0)
  if was_free[kind] == nil then was_free[kind] = is_free(kind) end
  for _, all in ipairs({o, t}) do
    add(all .. ':feed', rev, id)
    add(all .. ':jobs:' .. kind .. ':PENDING', n, id)
  end
  local rank = rank_of(math.floor(moment / 1000), priority)
  if line == '' then
    add(t .. ':queue:' .. kind, rank, member(n, id))
  else
    redis.call('HSET', t .. ':job:' .. id, 'k', string.sub(line, 2))
    enter(kind, string.sub(line, 2), member(n, id), rank)
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
for kind, keyless in pairs(kinds) do
  if keyless > 0 then count(':ready', kind, keyless) end
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
local free, is_news = {}, not had_ready
for kind in pairs(kinds) do
  if is_free(kind) then
    free[#free + 1] = kind
    is_news = is_news or not was_free[kind]
  end
end
return {'ok', is_news and moment or 0, free}

-- Stores changes of jobs of one tenant, each only if its job has not changed meanwhile: record, log, feed, lists, queue, batch,
-- hints. The caller computes the new record; this script only compares and sets. A refused change does not affect others.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  for each change:
--       1 job id  2 version that the change was computed from  3 version that it leads to
--       4 token of the claim of the change, or ""
--       5 op: idempotency key of this call, "process.number": a process counts up, and sends the changes of a job in
--         that order
--       6 record  7 event  8 time in ms  9 owner  10 kind  11 status before  12 status after  13 attempt
--       14 delay in ms after which a job that waits again may be claimed, or "none": at once, with the rank that it had
--       15 output, or "" for no change  16 batch id or ""
--       17 op of the change that led to the record that this change was computed from
--       18 limit of the audit list, a space, entry; or ""
-- Returns for each change:
--         {"ok"}, if nothing of it concerns the ring; {"ok", "ready", moment in microseconds}: the tenant has ready jobs, and
--         may have had none before; {"ok", "empty", moment}: it has none any more; {"ok", "alarm", ms}: a delay ends then, and
--         it may be the first one of the tenant to end
--         {"gone"}: the job does not exist; {"lost"}: the claim does not hold; {"moving"}: the job is on its way to another
--         tenant; {"stale", stored record, op that led to it}
local FIELDS = 18
local t = KEYS[1]
-- The script writes values that several changes share (of an owner, a batch, a sorted set) once for all of them.
local revs, batches, sets = {}, {}, {}
local newest_rev
-- Of outputs, beyond what the tenant had.
local bytes = 0
-- Published last, after everything is stored.
local hints = {}

-- `score` false removes the member.
local function place(set, member, score)
  local members = sets[set] or {}
  sets[set] = members
  members[member] = score
end

-- Returns the tenant's next rev, which becomes that of the owner too.
local function next_rev(owner)
  newest_rev = (newest_rev or tonumber(redis.call('GET', t .. ':rev') or 0)) + 1
  revs[owner] = newest_rev
  return newest_rev
end

local function recount(batch, from, to, time)
  local b = batches[batch] or {v = 0, counts = {}}
  batches[batch] = b
  b.counts[from] = (b.counts[from] or 0) - 1
  b.counts[to] = (b.counts[to] or 0) + 1
  b.v, b.time = b.v + 1, time
end

-- `made`: the newest op of each process that recently changed the job, newest first. Returns the number of the newest op of
-- the process `who`, and the ops of other processes that are kept.
local REMEMBERED = 4
local function recall(made, who)
  local newest, others, count = 0, '', 1
  for each in string.gmatch(made, '%S+') do
    if string.sub(each, 1, #who) == who then
      newest = tonumber(string.sub(each, #who + 1))
    elseif count < REMEMBERED then
      others, count = others .. ' ' .. each, count + 1
    end
  end
  return newest, others
end

local clock
local function moment()
  clock = clock or redis.call('TIME')
  return clock[1] * 1000000 + clock[2]
end
local function now() return math.floor(moment() / 1000) end

-- Ready jobs before the script, if it adds or removes any; and the answers that depend on it.
local ready
local touched = {}
local function touch(answer)
  ready = ready or redis.call('ZCARD', t .. ':queue')
  touched[#touched + 1] = answer
  return answer
end

-- As in claim.lua.
local function member(n, id) return string.format('%013.0f ', n + 2 ^ 40) .. id end
-- As `rankOf` in turns.ts.
local PRIORITY_LEVEL_MS = 600000
local function wait(id, n, priority, delay)
  if delay == 'none' or delay == '0' then
    local answer = touch({'ok'})
    local before = delay == 'none' and redis.call('HGET', t .. ':job:' .. id, 'rank')
    place(t .. ':queue', member(n, id), before or now() - (priority or 0) * PRIORITY_LEVEL_MS)
    return answer
  end
  local till = now() + delay
  place(t .. ':delayed', id, till)
  local first = redis.call('ZRANGE', t .. ':delayed', 0, 0, 'WITHSCORES')[2]
  return (not first or till < tonumber(first)) and {'ok', 'alarm', till} or {'ok'}
end
-- The answer to a repeated call.
local function again(id, to)
  if to ~= 'PENDING' then return {'ok'} end
  local till = redis.call('ZSCORE', t .. ':delayed', id)
  return till and {'ok', 'alarm', tonumber(till)} or {'ok', 'ready', moment()}
end

local function change(id, version, seq, claim, op, record, event, time, owner, kind, from, to, attempt, delay, output,
  batch, base, audit)
  local job = t .. ':job:' .. id
  -- Input and output may be large: only a claim reads them.
  local is = redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'n', 'moving', 'p')
  if not is[1] then return {'gone'} end
  local who, number = string.match(op, '^([^.]*%.)(%d+)$')
  local newest, others = recall(is[4], who)
  if newest >= tonumber(number) then return again(id, to) end
  if claim ~= '' and not (is[2] == '1' and is[3] == claim) then return {'lost'} end
  if is[7] then return {'moving'} end
  -- An equal version does not prove that the change was computed from this record: the change that led to the caller's record
  -- may have been refused, or lost with the newest writes. So the ops must match too.
  local led = string.match(is[4], '^%S+')
  if is[1] ~= version or led ~= base then return {'stale', is[5], led} end

  local fields = {'s', record, 'v', seq, 'op', op .. others}
  local function set(field, value)
    local n = #fields
    fields[n + 1], fields[n + 2] = field, value
  end
  if output ~= '' then
    set('o', output)
    local counted = redis.call('HSTRLEN', job, 'i') + #output
    bytes = bytes + counted - tonumber(redis.call('HGET', job, 'u') or 0)
    set('u', counted)
  end
  redis.call('RPUSH', t .. ':log:' .. id, event)
  if audit ~= '' then
    local n = redis.call('INCR', t .. ':n')
    redis.call('XADD', t .. ':audit', 'MAXLEN', string.match(audit, '^%d+'), n .. '-0', 'e', audit)
  end
  hints[#hints + 1] = {'job:' .. id, event}
  local o, rev = t .. ':owner:' .. owner, next_rev(owner)
  place(o .. ':feed', id, rev)
  place(t .. ':feed', id, rev)
  if from == to then
    redis.call('HSET', job, unpack(fields))
    return {'ok'}
  end

  set('st', to)
  set('a', attempt)
  for _, all in ipairs({o, t}) do
    local list = all .. ':jobs:' .. kind .. ':'
    place(list .. from, id, false)
    place(list .. to, id, is[6])
  end
  if batch ~= '' then recount(batch, from, to, time) end

  local answer = {'ok'}
  if to ~= 'PROCESSING' then
    -- The job no longer runs, so its claim ends.
    set('held', '0')
    if is[2] == '1' then
      place(t .. ':leased', id, false)
    else
      answer = touch({'ok'})
      place(t .. ':queue', member(is[6], id), false)
      for _, each in ipairs({':delayed', ':leased'}) do place(t .. each, id, false) end
    end
    if to == 'PENDING' then
      answer = wait(id, is[6], is[8], delay)
      place(t .. ':finished:' .. kind, id, false)
    else
      place(t .. ':finished:' .. kind, id, time)
    end
  end
  redis.call('HSET', job, unpack(fields))
  return answer
end

local answers = {}
for i = 1, #ARGV, FIELDS do
  answers[#answers + 1] = change(unpack(ARGV, i, i + FIELDS - 1))
end

for set, members in pairs(sets) do
  local places, left = {}, {}
  for member, score in pairs(members) do
    if score then
      places[#places + 1] = score
      places[#places + 1] = member
    else
      left[#left + 1] = member
    end
  end
  if #places > 0 then redis.call('ZADD', set, unpack(places)) end
  if #left > 0 then redis.call('ZREM', set, unpack(left)) end
end
if ready then
  local left = redis.call('ZCARD', t .. ':queue')
  local is = ready == 0 and left > 0 and 'ready' or ready > 0 and left == 0 and 'empty'
  for _, answer in ipairs(is and touched or {}) do answer[2], answer[3] = is, moment() end
end
if newest_rev then
  redis.call('SET', t .. ':rev', newest_rev)
  hints[#hints + 1] = {'feed:', ''}
end
if bytes ~= 0 then redis.call('INCRBY', t .. ':bytes', bytes) end
for owner, rev in pairs(revs) do
  redis.call('SET', t .. ':owner:' .. owner .. ':rev', rev)
  hints[#hints + 1] = {'feed:' .. owner, ''}
end
for batch, b in pairs(batches) do
  local key = t .. ':batch:' .. batch
  for status, by in pairs(b.counts) do
    if by ~= 0 then redis.call('HINCRBY', key, status, by) end
  end
  redis.call('HINCRBY', key, 'v', b.v)
  redis.call('HSET', key, 'updated', b.time)
  hints[#hints + 1] = {'batch:' .. batch, ''}
end
for _, hint in ipairs(hints) do redis.call('SPUBLISH', t .. ':hint:' .. hint[1], hint[2]) end
return answers

-- Stores changes of jobs of one tenant, each only if its job has not changed meanwhile: record, log, feed, lists, batch,
-- hints. The caller computes the new record; this script only compares and sets. A refused change does not affect others.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  for each change:
--       1 job id  2 version that the change was computed from  3 version that it leads to
--       4 token of the claim of the change, or ""
--       5 op: idempotency key of this call, "process.number": a process counts up, and sends the changes of a job in
--         that order. If a claim begins with the change: any other name
--       6 record  7 event  8 time in ms  9 owner  10 kind  11 status before  12 status after  13 attempt
--       14 time from which a claim may take it, or "" for no change  15 output, or "" for no change  16 batch id or ""
--       if a claim begins with the change: 17 the job's queuedAs  18 lock of its place in the queue
--       19 op of the change that led to the record that this change was computed from
--       20 limit of the audit list, a space, entry; or ""
-- Returns for each change:
--         {"ok"}; if it ended a claim, with that claim's place in the queue: {"ok", queuedAs, lock}
--         if a claim began with it, with its token and what is not in the record: {"ok", token, input, output, trace}
--         {"gone"}: the job does not exist; {"lost"}: the claim does not hold; {"moving"}: the job is on its way to another
--         tenant; {"stale", stored record, op that led to it}
local FIELDS = 20
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

-- Tokens follow the clock, so that a token is never reused, even after Redis lost the newest writes and the newest token
-- with them.
local clock
local function next_token(token)
  clock = clock or redis.call('TIME')
  return math.max(tonumber(token or 0) + 1, clock[1] * 1000000 + clock[2])
end

local function change(id, version, seq, claim, op, record, event, time, owner, kind, from, to, attempt, due, output,
  batch, queued, lock, base, audit)
  local job = t .. ':job:' .. id
  -- Input and output may be large: only a claim reads them.
  local is = queued == '' and redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'q', 'lock', 'n', 'moving')
    or redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'q', 'lock', 'n', 'moving', 'due', 'claim', 'i', 'o', 'tr')
  if not is[1] then return {'gone'} end
  local who, number = string.match(op, '^([^.]*%.)(%d+)$')
  local newest, others = recall(is[4], who)
  if queued == '' then
    if newest >= tonumber(number) then return {'ok'} end
  elseif is[2] == '1' and is[11] == op then
    return {'ok', tonumber(is[3]), is[12], is[13], is[14]}
  end
  if claim ~= '' and not (is[2] == '1' and is[3] == claim) then return {'lost'} end
  if is[9] then return {'moving'} end
  -- An equal version does not prove that the change was computed from this record: the change that led to the caller's record
  -- may have been refused, or lost with the newest writes. So the ops must match too.
  local led = string.match(is[4], '^%S+')
  if is[1] ~= version or led ~= base then return {'stale', is[5], led} end
  if queued ~= '' and (is[6] ~= queued or tonumber(is[10]) > tonumber(time)) then return {'lost'} end

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
    place(list .. to, id, is[8])
  end
  if batch ~= '' then recount(batch, from, to, time) end

  local answer = {'ok'}
  if to == 'PROCESSING' then
    if queued ~= '' then
      local token = next_token(is[3])
      set('held', '1')
      set('due', due)
      set('lock', lock)
      set('token', string.format('%.0f', token))
      set('claim', op)
      place(t .. ':open', id, due)
      answer = {'ok', token, is[12], is[13], is[14]}
    end
  else
    -- The job no longer runs, so its claim ends.
    set('held', '0')
    if to == 'PENDING' then
      set('q', seq)
      set('due', due)
      place(t .. ':open', id, due)
      place(t .. ':finished', id, false)
    else
      place(t .. ':open', id, false)
      place(t .. ':finished', id, time)
    end
    if is[2] == '1' then answer = {'ok', is[6], is[7]} end
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

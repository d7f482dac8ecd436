-- Stores changes of jobs of one tenant, each only if its job has not changed meanwhile: record, log, feed, lists, queue, batch,
-- hints. The caller computes the new record; this script only compares and sets. A refused change does not affect others.
--
-- uses places.lua set-writes.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  for each change:
--       1 job id  2 version that the change was computed from  3 version that it leads to
--       4 token of the claim of the change, or ""
--       5 op: idempotency key of this call, "process.number": a process counts up, and sends the changes of a job in
--         that order
--       6 record  7 event  8 time in ms  9 owner  10 kind  11 status before  12 status after  13 attempt
--       14 delay in ms after which a job that waits again may be claimed, or "none": at once, with the rank that it had; "": no
--         claim may take it
--       15 output, or "" for no change  16 batch id or ""
--       17 op of the change that led to the record that this change was computed from
--       18 limit of the audit list, a space, entry; or ""
--       19 ms until it expires, or ""  20 input, or "" for no change
--       21 with a new input: "=" and the key for limits, or ""
-- Returns for each change:
--         {"ok"}, if nothing of it concerns the ring; {"ok", moment in microseconds, "ready": the tenant has ready jobs, or
--         "empty", {kinds with jobs that are not held back}, {kinds without, of those that it concerns}, time in ms at which a
--         delay ends or "", permit of a claim that ended or ""}
--         {"held"}: a claim has the input that the change would replace; {"gone"}: the job does not exist; {"lost"}: the claim
--         does not hold; {"moving"}: the job is on its way to another tenant; {"stale", stored record, op that led to it}
local FIELDS = 21
-- The script writes values that several changes share (of an owner, a batch) once for all of them.
local revs, batches = {}, {}
local newest_rev
-- Of outputs, beyond what the tenant had.
local bytes = 0
-- Published last, after everything is stored.
local hints = {}

local names = {}
local function list_of(kind, status)
  local of = names[kind] or {}
  names[kind] = of
  local name = of[status]
  if not name then
    name = ':jobs:' .. kind .. ':' .. status
    of[status] = name
  end
  return name
end

-- Returns the tenant's next rev, which becomes that of the owner too, as text: Redis writes numbers of Lua as fractions.
local function next_rev(owner)
  newest_rev = (newest_rev or tonumber(redis.call('GET', t .. ':rev') or 0)) + 1
  local rev = string.format('%d', newest_rev)
  revs[owner] = rev
  return rev
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

-- Where it adds or removes ready jobs of these kinds: which had some that were not held back before; and the answers that
-- depend on it.
local had_ready
local free, touched = {}, {}
local function touch(kind, answer)
  if had_ready == nil then had_ready = redis.call('EXISTS', t .. ':ready') == 1 end
  if free[kind] == nil then free[kind] = is_free(kind) end
  touched[#touched + 1] = answer
end
-- The state of these kinds now.
local function news_of(kinds)
  local are, are_not = {}, {}
  for kind in pairs(kinds) do
    local list = is_free(kind) and are or are_not
    list[#list + 1] = kind
  end
  return {moment(), redis.call('EXISTS', t .. ':ready') == 1 and 'ready' or 'empty', are, are_not}
end
local function tell(answer, news)
  for i, part in ipairs(news) do answer[i + 1] = part end
end

local function wait(answer, id, n, kind, key, priority, delay)
  if delay == 'none' or delay == '0' then
    touch(kind, answer)
    local before = delay == 'none' and redis.call('HGET', t .. ':job:' .. id, 'rank')
    enter(kind, key, member(n, id), before or rank_of(now(), priority))
    return
  end
  local till = now() + delay
  place(t .. ':delayed', id, till)
  local first = redis.call('ZRANGE', t .. ':delayed', 0, 0, 'WITHSCORES')[2]
  if not first or till < tonumber(first) then answer[6] = till end
end
-- The claim of a running job ends. A line that was full has room.
local function end_claim(answer, id, kind, key, permit)
  place(t .. ':leased', id, false)
  if permit then
    redis.call('HDEL', t .. ':permits', id)
    answer[7] = permit
  end
  if not key then return end
  local line = line_of(kind, key)
  count(':running', line, -1)
  if redis.call('ZSCORE', t .. ':closed', line) == 'inf' then
    touch(kind, answer)
    open(line)
  end
end
-- A job that waits for its first start. One that could start keeps its rank. `before`, `key`: its key for limits.
local function postpone(answer, id, n, kind, before, key, priority, delay)
  local at = member(n, id)
  local set = before and t .. ':line:' .. line_of(kind, before) or t .. ':queue:' .. kind
  local rank = delay == '0' and redis.call('ZSCORE', set, at)
  if rank and before == key then return end
  touch(kind, answer)
  leave(kind, before, at)
  if rank then return enter(kind, key, at, rank) end
  place(t .. ':delayed', id, false)
  wait(answer, id, n, kind, key, priority, delay)
end
-- Ends what holds until a job starts or settles.
local function forget_options(job, id, owner, is)
  if is[12] then
    redis.call('HDEL', job, 'x')
    place(t .. ':expiring', id, false)
  end
  if is[13] then
    redis.call('HDEL', job, 'db')
    local debounced = t .. ':owner:' .. owner .. ':debounced'
    if redis.call('HGET', debounced, is[13]) == id then redis.call('HDEL', debounced, is[13]) end
  end
end
-- The answer to a repeated call.
local function again(id, kind, to, held, permit)
  if to == 'PROCESSING' or held == '1' then return {'ok'} end
  local answer = {'ok'}
  tell(answer, news_of({[kind] = true}))
  answer[6] = tonumber(redis.call('ZSCORE', t .. ':delayed', id) or '') or ''
  answer[7] = permit or ''
  return answer
end

local function change(id, version, seq, claim, op, record, event, time, owner, kind, from, to, attempt, delay, output,
  batch, base, audit, expiry, input, line)
  local job = t .. ':job:' .. id
  -- Input and output may be large: only a claim reads them.
  local is = redis.call('HMGET', job, 'v', 'held', 'token', 'op', 's', 'n', 'moving', 'p', 'k', 'pm', 'u', 'x', 'db', 'sc')
  if not is[1] then return {'gone'} end
  local who, number = string.match(op, '^([^.]*%.)(%d+)$')
  local newest, others = recall(is[4], who)
  if newest >= tonumber(number) then return again(id, kind, to, is[2], is[10]) end
  if claim ~= '' and not (is[2] == '1' and is[3] == claim) then return {'lost'} end
  if is[7] then return {'moving'} end
  -- An equal version does not prove that the change was computed from this record: the change that led to the caller's record
  -- may have been refused, or lost with the newest writes. So the ops must match too.
  local led = string.match(is[4], '^%S+')
  if is[1] ~= version or led ~= base then return {'stale', is[5], led} end

  local is_debounced = from == 'PENDING' and to == 'PENDING' and delay ~= ''
  if is_debounced and is[2] == '1' then return {'held'} end

  local fields = {'s', record, 'v', seq, 'op', op .. others}
  local function set(field, value)
    local n = #fields
    fields[n + 1], fields[n + 2] = field, value
  end
  if output ~= '' then
    set('o', output)
    local counted = redis.call('HSTRLEN', job, 'i') + #output
    bytes = bytes + counted - tonumber(is[11] or 0)
    set('u', counted)
  end
  if input ~= '' then
    set('i', input)
    local before = redis.call('HSTRLEN', job, 'i')
    bytes = bytes + #input - before
    set('u', tonumber(is[11] or before + 4) + #input - before)
  end
  redis.call('RPUSH', t .. ':log:' .. id, event)
  if audit ~= '' then
    local n = redis.call('INCR', t .. ':n')
    redis.call('XADD', t .. ':audit', 'MAXLEN', string.match(audit, '^%d+'), n .. '-0', 'e', audit)
  end
  hints[#hints + 1] = {'job:' .. id, event}
  place_in_both(owner, ':feed', id, next_rev(owner))
  if is_debounced then
    if expiry ~= '' then
      local ends = string.format('%.0f', now() + expiry)
      set('x', ends)
      place(t .. ':expiring', id, ends)
    end
    local answer, key = {'ok'}, line ~= '' and string.sub(line, 2)
    if key then set('k', key) elseif is[9] then redis.call('HDEL', job, 'k') end
    redis.call('HSET', job, unpack(fields))
    postpone(answer, id, is[6], kind, is[9], key, is[8], delay)
    return answer
  elseif from == to then
    redis.call('HSET', job, unpack(fields))
    return {'ok'}
  end
  forget_options(job, id, owner, is)

  set('st', to)
  set('a', attempt)
  place_in_both(owner, list_of(kind, from), id, false)
  place_in_both(owner, list_of(kind, to), id, is[6])
  if is[14] then
    place_in_both(owner, ':of:' .. is[14] .. list_of(kind, from), id, false)
    place_in_both(owner, ':of:' .. is[14] .. list_of(kind, to), id, is[6])
  end
  if batch ~= '' then recount(batch, from, to, time) end

  local answer = {'ok'}
  if to ~= 'PROCESSING' then
    -- The job no longer runs, so its claim ends.
    set('held', '0')
    if is[2] == '1' then
      end_claim(answer, id, kind, is[9], is[10])
    else
      touch(kind, answer)
      leave(kind, is[9], member(is[6], id))
      for _, each in ipairs({':delayed', ':leased'}) do place(t .. each, id, false) end
    end
    if to == 'PENDING' then
      if delay ~= '' then wait(answer, id, is[6], kind, is[9], is[8], delay) end
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

write_sets()
if had_ready ~= nil then
  local news = news_of(free)
  local is_new = had_ready ~= (news[2] == 'ready')
  for _, kind in ipairs(news[3]) do is_new = is_new or not free[kind] end
  for _, kind in ipairs(news[4]) do is_new = is_new or free[kind] end
  if is_new then
    for _, answer in ipairs(touched) do tell(answer, news) end
  end
end
for _, answer in ipairs(answers) do
  if answer[1] == 'ok' and (answer[2] or answer[6] or answer[7]) then
    for i, none in ipairs({0, '', {}, {}, '', ''}) do answer[i + 1] = answer[i + 1] or none end
  end
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

-- The ring: which tenants have work, and whose turn is next. It is a hint, and lies in a slot of its own; only the permits of
-- kinds with limits are more than that. `:alarms` has a time for each tenant before which no delay of its jobs ends, no lease, and
-- no time of a rate; `:opens` has such times of kinds.
--
-- uses ring.lua permits.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 number of turns to take  2 step of a turn  3 op: idempotency key of this call
--       4 limits in JSON, or "": {sig, kinds: {kind: [concurrency, interval in microseconds, burst], …}}, of all tenants. 0: none.
--         `sig` differs where the limits of keys do. What is wanted is there too: `only` or `except`, {kind: true, …}, and `tenant`
--       5 number of claims that ended
--       for each claim that ended: tenant, turns taken, jobs given, its turn before or "", what was added to it then, moment,
--         time of its alarm or "", "ready": it has ready jobs; "empty": it has none; "failed", kinds of which it has jobs that are
--         not held back, in lines, 1 if lines are closed, paused kinds with jobs whose lease ended, in lines, its permits in JSON
--         or "": [[kind, reserved, used, op, mark, [permit, …]], …]
--       for each piece of news: tenant, moment, time of its alarm or "", "ready": it has ready jobs; "empty"; or "", kinds of
--         which it has jobs that are not held back, kinds of which it has none or "*" for all others, both in lines, permit of a
--         job that ended or "": kind, line, permit
-- Returns {ms until the next alarm or -1, time now in ms, {tenants whose alarm is due},
--          {tenant, number of turns, … in their order}, {tenant, turn before, what was added to it, …},
--          {{tenant, kind with limits, jobs that it may give, mark}, …}, {kinds that are counted}, {kinds that are to be},
--          {tenant or "" for all, its paused kinds in JSON, …}}. There are no turns while an alarm is due, or a kind is to be
--          counted. While all jobs are paused (`pauses.ts`) there are neither turns nor alarms, no alarms of a tenant whose jobs
--          are, and no turns of a kind whose are.
local asked, whole, op, ended = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
local room = asked
local limits = ARGV[4] ~= '' and cjson.decode(ARGV[4]) or {sig = '', kinds = {}}
local function is_wanted(kind)
  return not (limits.only and not limits.only[kind]) and not (limits.except and limits.except[kind])
end
local alarms, opens = p .. ':alarms', p .. ':opens'
local FIRST, CLAIM, NEWS = 6, 12, 7
-- A tenant whose node does not answer is asked again after this time.
local RETRY_MS = 10000
-- Tenants whose alarms are due, in one answer.
local AT_ONCE = 1000
-- While programs with different limits claim in turn, lines that these close are looked at so often.
local REACT_MS = 200
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local now = math.floor(moment / 1000)
-- The greatest turn from which a job was given.
local newest = tonumber(redis.call('GET', p .. ':now') or 0)
local weighted = redis.call('EXISTS', p .. ':steps') == 1

local function step(tenant) return weighted and tonumber(redis.call('HGET', p .. ':steps', tenant)) or whole end
local function first_of(set) return tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2] or math.huge) end
local alarm, is_news = nil, false
local function set_alarm(tenant, time)
  if time == '' or is_paused(tenant) then return end
  alarm = alarm or first_of(alarms)
  is_news = is_news or tonumber(time) < alarm
  redis.call('ZADD', alarms, 'LT', time, tenant)
end

local news = FIRST + ended * CLAIM
local before = newest
for i = FIRST, news - 1, CLAIM do
  local given, turn, added = tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[i + 4]
  if given > 0 and turn ~= '' then newest = math.max(newest, turn + added + (given - 1) * step(ARGV[i])) end
end
if newest > before then redis.call('SET', p .. ':now', exact(newest)) end
local function end_claim(tenant, taken, given, _, added, at, time, state, kinds, closed, held, permits)
  set_alarm(tenant, time)
  if state == 'failed' then
    leave(tenant, load(tenant))
    set_alarm(tenant, now + RETRY_MS)
    return
  end
  -- They wait for the end of the pause. Where it has ended meanwhile, the tenant looks again.
  for kind in string.gmatch(held, '[^\n]+') do
    if is_kind_paused(tenant, kind) then redis.call('SADD', p .. ':held', tenant) else set_alarm(tenant, 0) end
  end
  hear(tenant, at, state, newest + step(tenant), kinds, '*')
  local is = load(tenant)
  if is.turn then
    set_closed(tenant, is, closed == '1')
    -- Turns without a job go back.
    if taken ~= given then
      set_turn(tenant, is, is.turn - (taken - given) * step(tenant) - (given == '0' and added or 0))
    end
  end
  for _, of in ipairs(permits ~= '' and cjson.decode(permits) or {}) do
    local kind, count, used, by, mark, jobs = unpack(of)
    use(kind, limits.kinds[kind], tenant, by, count, used, mark, jobs, moment)
    if count > used and redis.call('SREM', p .. ':full', kind) == 1 then is_news = true end
  end
end
for i = FIRST, news - 1, CLAIM do end_claim(unpack(ARGV, i, i + CLAIM - 1)) end
for i = news, #ARGV, NEWS do
  local tenant, at, time, state, are, are_not, permit = unpack(ARGV, i, i + NEWS - 1)
  set_alarm(tenant, time)
  hear(tenant, at, state, newest + step(tenant), are, are_not)
  is_news = is_news or state == 'ready'
  local kind, name = string.match(permit, '^([^\n]*)\n(.*)$')
  if kind and release(kind, name .. ' ' .. tenant) then is_news = true end
end
if is_news then redis.call('SPUBLISH', p .. ':hint', '') end

local paused = is_paused('')
if paused then room = 0 end
local due, runs, places, reserved, uncounted = {}, {}, {}, {}, {}
if room > 0 then
  -- Tenants look again which of their lines are open under other limits.
  if (redis.call('GET', p .. ':limits') or '') ~= limits.sig and
    redis.call('SET', p .. ':reacted:' .. limits.sig, 1, 'PX', REACT_MS, 'NX') then
    redis.call('SET', p .. ':limits', limits.sig)
    for _, tenant in ipairs(redis.call('SMEMBERS', p .. ':closed')) do set_alarm(tenant, 0) end
  end
  due = redis.call('ZRANGE', alarms, '-inf', now, 'BYSCORE', 'LIMIT', 0, AT_ONCE)
  if #due > 0 then
    redis.call('ZREM', alarms, unpack(due))
    room = 0
  end
end

-- The first two tenants of each kind that may start a job, and how many may.
local heads, left = {}, {}
local function look(kind)
  local first
  if limits.tenant then
    local turn = redis.call('ZSCORE', p .. ':turns:' .. kind, limits.tenant)
    first = turn and {limits.tenant, turn} or {}
  else
    first = redis.call('ZRANGE', p .. ':turns:' .. kind, 0, 1, 'WITHSCORES')
  end
  heads[kind] = first[1] and {first[1], tonumber(first[2]), first[3], tonumber(first[4])} or nil
  return first[1]
end
-- Its tenants wait for the time of a rate, or for the end of a job.
local function hold_back(kind)
  local _, opens_at = left_of(kind, limits.kinds[kind], moment)
  heads[kind] = nil
  if opens_at then redis.call('ZADD', opens, opens_at, kind) else note_full(kind) end
end
if room > 0 then
  redis.call('ZREMRANGEBYSCORE', opens, '-inf', now)
  for _, kind in ipairs(redis.call('SMEMBERS', p .. ':kinds')) do
    local limit = limits.kinds[kind]
    if not is_wanted(kind) or paused_kinds('')[kind] then
      heads[kind] = nil
    elseif not look(kind) then
      if not limits.tenant then redis.call('SREM', p .. ':kinds', kind) end
    elseif limit and limit[1] > 0 and redis.call('SISMEMBER', p .. ':counted', kind) == 0 then
      uncounted[#uncounted + 1] = kind
      heads[kind] = nil
    elseif limit then
      left[kind] = left_of(kind, limit, moment)
      if left[kind] == 0 then hold_back(kind) end
    end
  end
  if #uncounted > 0 then room = 0 end
end

-- Names are compared byte by byte, in whatever language Redis runs.
local function is_less(one, other)
  local length = math.min(#one, #other)
  for i = 1, length do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end
-- Returns the tenant with the smallest turn, and that of the next one.
local function next_tenant()
  local tenant, turn, other = nil, math.huge, math.huge
  for _, head in pairs(heads) do
    if not tenant or head[2] < turn or (head[2] == turn and is_less(head[1], tenant)) then tenant, turn = head[1], head[2] end
  end
  for _, head in pairs(heads) do
    other = math.min(other, head[1] ~= tenant and head[2] or head[4] or math.huge)
  end
  return tenant, turn, other
end
-- How many jobs a tenant may give.
local function capacity(is)
  local sum = 0
  for kind in pairs(is.kinds) do
    if heads[kind] then sum = sum + (left[kind] or math.huge) end
  end
  return sum
end
local given = {}
local function reserve_for(tenant, kind, count)
  local of = given[kind .. '\n' .. tenant]
  if not of then
    of = {tenant, kind, 0, 0}
    given[kind .. '\n' .. tenant] = of
    reserved[#reserved + 1] = of
  end
  count = math.min(count, left[kind])
  of[4] = reserve(kind, limits.kinds[kind], tenant, op, of[3], count, moment)
  of[3], left[kind] = of[3] + count, left[kind] - count
end
local seen = {}
while room > 0 do
  local tenant, turn, other = next_tenant()
  if not tenant then break end
  local is, by = load(tenant), step(tenant)
  if not is.turn then
    -- Redis lost it.
    is.turn, is.told = turn, 0
    for kind, head in pairs(heads) do is.kinds[kind] = is.kinds[kind] or head[1] == tenant or nil end
  end
  -- One that was held back for long has one turn of credit.
  local added = math.max(is.turn, newest - whole) - is.turn
  if not seen[tenant] then
    seen[tenant] = true
    for _, each in ipairs({tenant, exact(is.turn), exact(added)}) do places[#places + 1] = each end
  end
  local count, most = 0, math.min(room, capacity(is))
  turn = is.turn + added
  repeat turn, count = turn + by, count + 1 until count >= most or turn >= other
  room = room - count
  set_turn(tenant, is, turn)
  for kind in pairs(is.kinds) do
    if heads[kind] then
      if left[kind] then reserve_for(tenant, kind, count) end
      if look(kind) and left[kind] == 0 then hold_back(kind) end
    end
  end
  runs[#runs + 1] = tenant
  runs[#runs + 1] = count
end
save()
local told = {}
local function tell_paused(tenant)
  if next(paused_kinds(tenant)) then
    told[#told + 1] = tenant
    told[#told + 1] = redis.call('HGET', p .. ':paused', tenant)
  end
end
if some_paused and #due + #runs > 0 then
  tell_paused('')
  for _, tenant in ipairs(due) do tell_paused(tenant) end
  for tenant in pairs(seen) do tell_paused(tenant) end
end
local next_time = paused and math.huge or math.min(first_of(alarms), first_of(opens))
return {next_time == math.huge and -1 or math.max(0, next_time - now), now, due, runs, places, reserved,
  asked > 0 and redis.call('SMEMBERS', p .. ':counted') or {}, uncounted, told}

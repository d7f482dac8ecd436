-- The ring: which tenants have work, and whose turn is next. It is a hint, and lies in a slot of its own. A tenant with ready
-- jobs has a place in `:turns`, whose score is its turn; the smallest is next. `:alarms` has a time for each tenant before which
-- no delay of its jobs ends and no lease. `:told` has when each tenant with a place got ready jobs, so that the news that it had
-- none at an earlier moment does not end its place. These moments are microseconds of the clock of the tenant's node.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 number of turns to take  2 step of a turn  3 number of claims that ended
--       for each claim that ended: tenant, turns taken, jobs given, its turn before or "", moment, time of its alarm or "",
--         "ready": it has ready jobs; "empty": it has none; "failed"
--       for each piece of news: tenant, moment, time of its alarm or "", "ready": it has ready jobs again; "empty"; or ""
-- Returns {ms until the next alarm or -1, time now in ms, {tenants whose alarm is due},
--          {tenant, number of turns, … in their order}, {tenant, turn before, …}}. There are no turns while an alarm is due.
-- While all jobs are paused (`pauses.ts`) there are neither turns nor alarms, and none of a tenant whose jobs are: what is told
-- of it is not heard. At the end of its pause it is told again.
local p, room, whole, ended = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local turns, told, alarms = p .. ':turns', p .. ':told', p .. ':alarms'
local FIRST, CLAIM, NEWS = 4, 7, 4
-- A tenant whose node does not answer is asked again after this time.
local RETRY_MS = 10000
-- Tenants whose alarms are due, in one answer.
local AT_ONCE = 1000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- The greatest turn from which a job was given.
local newest = tonumber(redis.call('GET', p .. ':now') or 0)
local weighted = redis.call('EXISTS', p .. ':steps') == 1

local function exact(number) return string.format('%.0f', number) end
local function step(tenant) return weighted and tonumber(redis.call('HGET', p .. ':steps', tenant)) or whole end
local function next_alarm() return tonumber(redis.call('ZRANGE', alarms, 0, 0, 'WITHSCORES')[2] or math.huge) end
local some_paused = redis.call('EXISTS', p .. ':pauses') == 1
local function is_paused(tenant)
  return some_paused and redis.call('HEXISTS', p .. ':pauses', ' ' .. tenant) == 1
end
local function set_alarm(tenant, time)
  if time ~= '' and not is_paused(tenant) then redis.call('ZADD', alarms, 'LT', time, tenant) end
end
local function leave(tenant)
  redis.call('ZREM', turns, tenant)
  redis.call('HDEL', told, tenant)
end
local function hear(tenant, moment, is)
  local before = redis.call('ZSCORE', turns, tenant) and redis.call('HGET', told, tenant)
  if is == 'ready' and is_paused(tenant) then
    leave(tenant)
  elseif is == 'ready' then
    if not before then redis.call('ZADD', turns, exact(newest + step(tenant)), tenant) end
    if not before or tonumber(before) < tonumber(moment) then redis.call('HSET', told, tenant, moment) end
  elseif is == 'empty' and before and tonumber(before) < tonumber(moment) then
    leave(tenant)
  end
end

local alarm, is_news = next_alarm(), false
local news = FIRST + ended * CLAIM
local before = newest
for i = FIRST, news - 1, CLAIM do
  local given, turn = tonumber(ARGV[i + 2]), ARGV[i + 3]
  if given > 0 and turn ~= '' then newest = math.max(newest, turn + (given - 1) * step(ARGV[i])) end
end
if newest > before then redis.call('SET', p .. ':now', exact(newest)) end
for i = FIRST, news - 1, CLAIM do
  local tenant, taken, given, _, moment, time, is = unpack(ARGV, i, i + CLAIM - 1)
  set_alarm(tenant, time)
  if is == 'failed' then
    leave(tenant)
    set_alarm(tenant, now + RETRY_MS)
  else
    hear(tenant, moment, is)
    -- Turns without a job go back.
    local turn = taken ~= given and redis.call('ZSCORE', turns, tenant)
    if turn then redis.call('ZADD', turns, exact(math.max(newest, turn - (taken - given) * step(tenant))), tenant) end
  end
end
for i = news, #ARGV, NEWS do
  local tenant, moment, time, is = unpack(ARGV, i, i + NEWS - 1)
  set_alarm(tenant, time)
  hear(tenant, moment, is)
  is_news = is_news or is == 'ready'
end
if is_news or next_alarm() < alarm then redis.call('SPUBLISH', p .. ':hint', '') end

local paused = is_paused('')
if paused then room = 0 end
local due, runs, places = {}, {}, {}
if room > 0 then
  due = redis.call('ZRANGE', alarms, '-inf', now, 'BYSCORE', 'LIMIT', 0, AT_ONCE)
  if #due > 0 then
    redis.call('ZREM', alarms, unpack(due))
    room = 0
  end
end
local seen = {}
while room > 0 do
  local tenant, turn, _, other = unpack(redis.call('ZRANGE', turns, 0, 1, 'WITHSCORES'))
  if not tenant then break end
  if not seen[tenant] then
    seen[tenant] = true
    places[#places + 1] = tenant
    places[#places + 1] = turn
  end
  local count, by = 0, step(tenant)
  turn, other = tonumber(turn), tonumber(other or math.huge)
  repeat
    turn, count, room = turn + by, count + 1, room - 1
  until room == 0 or turn >= other
  redis.call('ZADD', turns, exact(turn), tenant)
  runs[#runs + 1] = tenant
  runs[#runs + 1] = count
end
alarm = paused and math.huge or next_alarm()
return {alarm == math.huge and -1 or math.max(0, alarm - now), now, due, runs, places}

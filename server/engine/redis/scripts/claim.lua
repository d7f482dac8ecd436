-- Claims jobs of a tenant: those whose lease ended, or ready ones by their rank. A call that is sent twice gives the same jobs,
-- of which those count that its claims still hold.
--
-- uses places.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call  2 the most jobs
--       3 "due": those whose lease ended; and delayed jobs that are due become ready, and lines whose rate lets them. "ready":
--         ready ones
--       4 length of the leases in ms  5 the time of the ring in ms: what is due by it is due here
-- Returns {{{id, token, record, op that led to it, input, output, trace, permit or "", kind, ms since it expired or ""}, …},
--          number of ready jobs that are left, earliest time of a delay, a lease or a rate in ms or "", moment in microseconds,
--          {kinds with jobs that are not held back}, 1 if lines are closed,
--          {paused kinds with jobs whose lease ended}}
local op, most, kind, lease = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local delayed, leased, closed, answered = t .. ':delayed', t .. ':leased', t .. ':closed', t .. ':taken:' .. op
local limits = ARGV[6] ~= '' and cjson.decode(ARGV[6]) or {keys = {}, most = {}, counted = {}, sig = '', till = 0}
-- An answer that was lost is asked for again within this time.
local REMEMBERED_MS = 60000
-- Delayed jobs, or lines, that become ready in one call.
local AT_ONCE = 1000
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local now = math.floor(moment / 1000)
local jobs, leases = {}, {}
local lease_end = string.format('%.0f', now + lease)

local function add(id, token, is)
  local late = is[12] and now - is[12] or -1
  jobs[#jobs + 1] = {id, token, is[2], string.match(is[3] or '', '^%S+'), is[4], is[5], is[6], is[9] or '', is[10],
    late >= 0 and string.format('%.0f', late) or ''}
end
local function read(id)
  return redis.pcall('HMGET', t .. ':job:' .. id, 'st', 's', 'op', 'i', 'o', 'tr', 'token', 'held', 'pm', 'kind', 'k', 'x')
end
local function hold(id)
  leases[#leases + 1] = lease_end
  leases[#leases + 1] = id
end

-- Tokens follow the clock, so that a token is never reused, even after Redis lost the newest writes and the newest token
-- with them. A permit is named after the claim that got it, and goes on with the job when its lease ended. Returns true if
-- there is such a job.
local function take(id, rank)
  local is = read(id)
  if is.err then
    -- Something else has its key. It is to stand in the way of no other job.
    hold(id)
    return false
  elseif is[1] ~= 'PENDING' and is[1] ~= 'PROCESSING' then
    redis.call('ZREM', leased, id)
    return false
  end
  local token = string.format('%.0f', math.max(tonumber(is[7] or 0) + 1, moment))
  local fields = {'token', token, 'held', '1'}
  local function set(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
  end
  if rank then set('rank', rank) end
  if is[8] ~= '1' then
    if is[11] then count(':running', line_of(is[10], is[11]), 1) end
    -- Of an earlier attempt.
    if is[9] then redis.call('HDEL', t .. ':job:' .. id, 'pm') end
    is[9] = false
  end
  if limits.counted[is[10]] and not is[9] then
    is[9] = token
    set('pm', token)
    redis.call('HSET', t .. ':permits', id, token .. ' ' .. is[10])
  end
  redis.call('HSET', t .. ':job:' .. id, unpack(fields))
  hold(id)
  add(id, tonumber(token), is)
  return true
end

-- Jobs of paused kinds are as few as the slots of the processes that ended.
local paused, kept, more_ended = limits.paused or {}, {}, false
local function ended(till)
  if not next(paused) then return redis.call('ZRANGE', leased, '-inf', till, 'BYSCORE', 'LIMIT', 0, most) end
  local found, at = {}, 0
  repeat
    local ids = redis.call('ZRANGE', leased, '-inf', till, 'BYSCORE', 'LIMIT', at, AT_ONCE)
    for _, id in ipairs(ids) do
      local of = redis.pcall('HGET', t .. ':job:' .. id, 'kind')
      if paused[of] then kept[of] = true elseif #found < most then found[#found + 1] = id else more_ended = true end
    end
    at = at + AT_ONCE
  until #ids < AT_ONCE
  return found
end
local function take_ended(till)
  for _, id in ipairs(ended(till)) do take(id) end
end
local function make_ready(till)
  local due = redis.call('ZRANGE', delayed, '-inf', till, 'BYSCORE', 'LIMIT', 0, AT_ONCE, 'WITHSCORES')
  for i = 1, #due, 2 do
    local is = redis.pcall('HMGET', t .. ':job:' .. due[i], 'n', 'p', 'kind', 'k')
    redis.call('ZREM', delayed, due[i])
    if is[1] then enter(is[3], is[4], member(is[1], due[i]), rank_of(due[i + 1], is[2])) end
  end
  for _, line in ipairs(redis.call('ZRANGE', closed, '-inf', till, 'BYSCORE', 'LIMIT', 0, AT_ONCE)) do open(line) end
end

-- The time in microseconds from which a job of the line would start, if all did at even intervals.
local function until_of(line) return tonumber(redis.call('GET', t .. ':rate:' .. line) or 0) end
-- When the line is open again: nothing if it is, else the time in ms or +inf.
local function closed_till(kind, line)
  local concurrency, interval, burst = unpack(limits.keys[kind])
  if concurrency > 0 and tonumber(redis.call('HGET', t .. ':running', line) or 0) >= concurrency then return '+inf' end
  local free = interval > 0 and until_of(line) - (burst - 1) * interval or 0
  return free > moment and string.format('%.0f', math.ceil(free / 1000)) or nil
end
local function note_start(kind, line)
  local interval = limits.keys[kind][2]
  if interval == 0 then return end
  local till = math.max(until_of(line), moment) + interval
  redis.call('SET', t .. ':rate:' .. line, string.format('%.0f', till), 'PX', math.ceil((till - moment) / 1000))
end
-- Takes the first job of a line, unless the line turns out to be closed.
local function take_head(kind, place, key, rank)
  local line = line_of(kind, key)
  local has_limits = limits.keys[kind]
  local till = has_limits and closed_till(kind, line)
  if not till then
    redis.call('ZREM', t .. ':line:' .. line, place)
    count(':ready', kind, -1)
    if take(id_of(place), rank) and has_limits then note_start(kind, line) end
    till = has_limits and closed_till(kind, line)
  end
  if till then close(kind, key, till) end
  show(kind, key)
end

-- How many jobs of a kind may be taken yet.
local function room_of(kind)
  local of_kind = limits.most[kind]
  return of_kind and (now > limits.till and 0 or of_kind) or math.huge
end
local function take_first(source)
  local of, popped = source.kind, redis.call('ZPOPMIN', source.key)
  local before = #jobs
  if source.is_line then
    local place, key = string.match(popped[1], '^(%S+ %S+) (.*)$')
    take_head(of, place, key, popped[2])
  else
    count(':ready', of, -1)
    take(id_of(popped[1]), popped[2])
  end
  if limits.most[of] then limits.most[of] = limits.most[of] - (#jobs - before) end
end
local function look(source)
  local first = redis.call('ZRANGE', source.key, 0, 0, 'WITHSCORES')
  source.place, source.rank = first[1], tonumber(first[2])
  return source
end
-- Where ready jobs are that may be taken.
local function sources(kinds)
  local found = {}
  for _, of in ipairs(kinds) do
    for _, set in ipairs({':queue:', ':heads:'}) do
      local source = look({kind = of, key = t .. set .. of, is_line = set == ':heads:'})
      if source.place and room_of(of) > 0 then found[#found + 1] = source end
    end
  end
  return found
end
local function is_before(one, other)
  return not other or one.rank < other.rank or (one.rank == other.rank and one.place < other.place)
end
local function take_many(of)
  while #jobs < most do
    local places = redis.call('ZPOPMIN', t .. ':queue:' .. of, most - #jobs)
    if #places == 0 then return end
    count(':ready', of, -#places / 2)
    for i = 1, #places, 2 do take(id_of(places[i]), places[i + 1]) end
  end
end
local function take_ready()
  local kinds = {}
  for _, of in ipairs(redis.call('HKEYS', t .. ':ready')) do
    local is_wanted = not (limits.only and not limits.only[of]) and not (limits.except and limits.except[of])
    if is_wanted and not paused[of] then kinds[#kinds + 1] = of end
  end
  if #kinds == 1 and not limits.most[kinds[1]] and redis.call('EXISTS', t .. ':heads:' .. kinds[1]) == 0 then
    return take_many(kinds[1])
  end
  local from = sources(kinds)
  while #jobs < most do
    local best
    for _, each in ipairs(from) do
      if each.place and room_of(each.kind) > 0 and is_before(each, best) then best = each end
    end
    if not best then return end
    take_first(best)
    look(best)
  end
end

-- Lines that other limits closed open.
if (ARGV[6] ~= '' or kind == 'due') and (redis.call('GET', t .. ':limits') or '') ~= limits.sig then
  for _, line in ipairs(redis.call('ZRANGE', closed, 0, -1)) do open(line) end
  redis.call('SET', t .. ':limits', limits.sig)
end

local first = redis.call('GET', answered)
if first then
  for id, token in string.gmatch(first, '(%S+) (%S+)') do
    local is = read(id)
    if is[8] == '1' and is[7] == token then add(id, tonumber(token), is) end
  end
else
  if kind == 'due' then
    local till = math.max(now, tonumber(ARGV[5]))
    take_ended(till)
    make_ready(till)
  else
    take_ready()
  end
  if #leases > 0 then redis.call('ZADD', leased, unpack(leases)) end
  if #jobs > 0 then
    local given = {}
    for i, each in ipairs(jobs) do given[i] = each[1] .. ' ' .. string.format('%.0f', each[2]) end
    redis.call('SET', answered, table.concat(given, ' '), 'PX', math.max(1, math.ceil(math.min(lease, REMEMBERED_MS))))
  end
end

local function earliest(set, from)
  return tonumber(redis.call('ZRANGE', set, from or '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2])
end
local opens = earliest(closed)
-- Leases that ended had their alarm, and those of paused kinds need none: they wait for the end of the pause.
local lease_ends = earliest(leased, next(paused) and not more_ended and '(' .. string.format('%.0f', now) or nil)
local alarm = math.min(earliest(delayed) or math.huge, lease_ends or math.huge, opens or math.huge)
local left, free = 0, {}
local counts = redis.call('HGETALL', t .. ':ready')
for i = 1, #counts, 2 do
  left = left + counts[i + 1]
  if is_free(counts[i]) then free[#free + 1] = counts[i] end
end
local held = {}
for of in pairs(kept) do held[#held + 1] = of end
return {jobs, left, alarm == math.huge and '' or string.format('%.0f', alarm), moment, free, opens and 1 or 0, held}

-- Limits of all tenants together. `:permits:<kind>` has a member for each running job of a kind that is counted (one of
-- `:counted`), "<job> <permit> <tenant>", and for each job that a claim may take now, "+<op>.<n> <tenant>", by the time in ms at
-- which the sweep asks the tenant whether it is still true. `:rates` has for each kind the time in microseconds from which its
-- next job would start if all did at even intervals, and how many starts were reserved.
local p = KEYS[1]
-- A claim that took longer gets no job of a limited kind (`claims.ts`), so a reservation is decided by then.
local CHECK_MS = 60000
local function permits_of(kind) return p .. ':permits:' .. kind end
local function rate_of(kind)
  local till, count = string.match(redis.call('HGET', p .. ':rates', kind) or '0 0', '^(%S+) (%S+)$')
  return tonumber(till), tonumber(count)
end
local function set_rate(kind, till, count)
  redis.call('HSET', p .. ':rates', kind, string.format('%.0f %.0f', till, count))
end

-- How many jobs of a kind may start now, and from when in ms where a rate lets none. `limit`: {concurrency, interval in
-- microseconds, burst}, 0: none; a concurrency of -1 lets none start.
local function left_of(kind, limit, moment)
  local concurrency, interval, burst = unpack(limit)
  local left = math.huge
  if concurrency ~= 0 then left = concurrency - redis.call('ZCARD', permits_of(kind)) end
  if left <= 0 or interval == 0 then return math.max(left, 0) end
  local till = math.max(rate_of(kind), moment)
  left = math.min(left, burst - math.ceil((till - moment) / interval))
  if left > 0 then return left end
  return 0, math.ceil((till - (burst - 1) * interval) / 1000)
end

-- Reserves for a tenant. Returns how many starts were reserved so far.
local function reserve(kind, limit, tenant, op, from, count, moment)
  local concurrency, interval = unpack(limit)
  if concurrency > 0 then
    local check = math.floor(moment / 1000) + CHECK_MS
    for n = from + 1, from + count do
      redis.call('ZADD', permits_of(kind), check, '+' .. op .. '.' .. n .. ' ' .. tenant)
    end
  end
  if interval == 0 then return 0 end
  local till, reserved = rate_of(kind)
  set_rate(kind, math.max(till, moment) + count * interval, reserved + count)
  return reserved + count
end

-- Ends a reservation, of which so many were used, for these jobs where the kind is counted. `mark` is what `reserve` returned.
-- Starts that are not used go back, as far as those that were reserved since allow.
local function use(kind, limit, tenant, op, count, used, mark, jobs, moment)
  local permits, check = permits_of(kind), math.floor(moment / 1000) + CHECK_MS
  for _, job in ipairs(jobs) do redis.call('ZADD', permits, check, job .. ' ' .. tenant) end
  for n = 1, count do redis.call('ZREM', permits, '+' .. op .. '.' .. n .. ' ' .. tenant) end
  local interval, unused = limit and limit[2] or 0, count - used
  if interval == 0 or unused <= 0 then return end
  -- A call may be sent twice.
  local once = p .. ':used:' .. table.concat({op, kind, tenant}, '\n')
  if not redis.call('SET', once, 1, 'PX', CHECK_MS, 'NX') then return end
  local till, reserved = rate_of(kind)
  local least = moment + interval * (reserved - mark)
  set_rate(kind, math.min(till, math.max(till - unused * interval, least)), reserved)
end

-- Jobs wait that a limit of all tenants holds back: the end of a permit is a hint.
local function note_full(kind) redis.call('SADD', p .. ':full', kind) end
-- Returns true if this lets a job start that waited.
local function release(kind, member)
  return redis.call('ZREM', permits_of(kind), member) == 1 and redis.call('SREM', p .. ':full', kind) == 1
end

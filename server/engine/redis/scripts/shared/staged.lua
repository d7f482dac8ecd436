-- Large batches, which are stored in steps. `:staged` has for each the number of its jobs that have no place in the queue yet.
-- `:staged:<batch>` has the state of one: "" while its jobs are stored and no read finds them, "shown" while they get their places
-- in the feed and the queue, "dropped" while they are deleted; when another process may go on with it (`till`, in ms); and
-- `from`, the position before those of its jobs, which are `count` positions.
local t = KEYS[1]
local function staged_key(batch) return t .. ':staged:' .. batch end
local function count_staged()
  local sum = 0
  for _, n in ipairs(redis.call('HVALS', t .. ':staged')) do sum = sum + n end
  return sum
end
-- Jobs that have not settled.
local function count_open()
  local sum = redis.call('ZCARD', t .. ':delayed') + redis.call('ZCARD', t .. ':leased') + count_staged()
  for _, n in ipairs(redis.call('HVALS', t .. ':ready')) do sum = sum + n end
  return sum
end
-- Returns {position before those of a hidden batch, last one of these, batch} for each.
local function hidden_ranges()
  local ranges = {}
  for _, batch in ipairs(redis.call('HKEYS', t .. ':staged')) do
    local is = redis.call('HMGET', staged_key(batch), 'state', 'from', 'count')
    if is[2] and is[1] ~= 'shown' then ranges[#ranges + 1] = {tonumber(is[2]), is[2] + is[3], batch} end
  end
  return ranges
end
-- Another process may go on with it.
local function is_silent(batch)
  local clock, till = redis.call('TIME'), redis.call('HGET', staged_key(batch), 'till')
  return not till or tonumber(till) <= clock[1] * 1000 + math.floor(clock[2] / 1000)
end

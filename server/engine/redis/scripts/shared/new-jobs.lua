-- How new jobs are stored and get their places in the queue.
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local now = math.floor(moment / 1000)

-- Members of sorted sets, added in one call to each set.
local sets = {}
local function add(key, score, member)
  local members = sets[key] or {}
  sets[key] = members
  members[#members + 1] = score
  members[#members + 1] = member
end
-- Lua's limit on arguments is some thousands.
local AT_ONCE = 1000
local function add_all()
  for set, members in pairs(sets) do
    for i = 1, #members, AT_ONCE do
      redis.call('ZADD', set, unpack(members, i, math.min(i + AT_ONCE - 1, #members)))
    end
  end
end

-- `line` is "=" and the key for limits, or "". `schedule`: an id, or "".
local function write_job(op, n, id, kind, record, input, event, priority, trace, line, schedule)
  local job = t .. ':job:' .. id
  redis.call('HSET', job, 'n', n, 's', record, 'i', input, 'v', 1, 'st', 'PENDING', 'kind', kind, 'op', op, 'u', #input + 4)
  if priority ~= '0' then redis.call('HSET', job, 'p', priority) end
  if trace ~= '' then redis.call('HSET', job, 'tr', trace) end
  if line ~= '' then redis.call('HSET', job, 'k', string.sub(line, 2)) end
  if schedule ~= '' then redis.call('HSET', job, 'sc', schedule) end
  redis.call('RPUSH', t .. ':log:' .. id, event)
end

-- `keyless`: how many jobs of each kind are ready and have no key. `alarm`: the end of the first delay.
local had_ready = redis.call('EXISTS', t .. ':ready') == 1
local first_delay = redis.call('ZRANGE', t .. ':delayed', 0, 0, 'WITHSCORES')[2]
local was_free, keyless, alarm = {}, {}, math.huge
-- `key` for limits, or false. `due`: when it may start, in ms.
local function queue(n, id, kind, key, priority, due)
  if was_free[kind] == nil then was_free[kind] = is_free(kind) end
  if due > now then
    alarm = math.min(alarm, due)
    add(t .. ':delayed', string.format('%.0f', due), id)
  elseif key then
    enter(kind, key, member(n, id), rank_of(due, priority))
  else
    keyless[kind] = (keyless[kind] or 0) + 1
    add(t .. ':queue:' .. kind, rank_of(due, priority), member(n, id))
  end
end
-- Returns {moment in microseconds if this concerns the ring, else 0, the end of a delay in ms if it may be the tenant's first one,
-- else "", {kinds with jobs that are not held back}}
local function queue_all()
  for kind, ready in pairs(keyless) do count(':ready', kind, ready) end
  add_all()
  local free, is_news = {}, not had_ready and redis.call('EXISTS', t .. ':ready') == 1
  for kind, was in pairs(was_free) do
    if is_free(kind) then
      free[#free + 1] = kind
      is_news = is_news or not was
    end
  end
  local is_first = alarm < tonumber(first_delay or math.huge)
  return is_news and moment or 0, is_first and string.format('%.0f', alarm) or '', free
end

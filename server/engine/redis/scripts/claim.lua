-- Claims jobs of a tenant: those whose lease ended, or ready ones by their rank. A call that is sent twice gives the same jobs,
-- of which those count that its claims still hold.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call  2 the most jobs
--       3 "due": those whose lease ended; and delayed jobs that are due become ready. "ready": ready ones
--       4 length of the leases in ms  5 the time of the ring in ms: what is due by it is due here
-- Returns {{{id, token, record, op that led to it, input, output, trace, ms since it expired or ""}, …}, number of ready jobs that are left,
--          earliest end of a delay or a lease in ms or "", moment in microseconds}
local t, op, most, kind, lease = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local queue, delayed, leased, answered = t .. ':queue', t .. ':delayed', t .. ':leased', t .. ':taken:' .. op
-- An answer that was lost is asked for again within this time.
local REMEMBERED_MS = 60000
-- Delayed jobs that become ready in one call.
local AT_ONCE = 1000
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local now = math.floor(moment / 1000)
local jobs = {}

local function add(id, token, is)
  local late = is[9] and now - is[9] or -1
  jobs[#jobs + 1] = {id, token, is[2], string.match(is[3] or '', '^%S+'), is[4], is[5], is[6],
    late >= 0 and string.format('%.0f', late) or ''}
end
local function read(id)
  return redis.pcall('HMGET', t .. ':job:' .. id, 'st', 's', 'op', 'i', 'o', 'tr', 'token', 'held', 'x')
end

-- Tokens follow the clock, so that a token is never reused, even after Redis lost the newest writes and the newest token
-- with them.
local function take(id, rank)
  local is = read(id)
  if is.err then
    -- Something else has its key. It is to stand in the way of no other job.
    redis.call('ZADD', leased, now + lease, id)
  elseif is[1] == 'PENDING' or is[1] == 'PROCESSING' then
    local token = math.max(tonumber(is[7] or 0) + 1, moment)
    local kept = rank and {'rank', rank} or {}
    redis.call('HSET', t .. ':job:' .. id, 'token', string.format('%.0f', token), 'held', '1', unpack(kept))
    redis.call('ZADD', leased, now + lease, id)
    add(id, token, is)
  else
    redis.call('ZREM', leased, id)
  end
end

local function take_ended(till)
  while #jobs < most do
    local ids = redis.call('ZRANGE', leased, '-inf', till, 'BYSCORE', 'LIMIT', 0, most - #jobs)
    if #ids == 0 then return end
    for _, id in ipairs(ids) do take(id) end
  end
end
-- Members of the queue begin with the job's position in lists, which decides between equal ranks. A job that has come from
-- another tenant has a negative one.
local WIDTH, LOWEST = 13, 2 ^ 40
local function member(n, id) return string.format('%0' .. WIDTH .. '.0f ', n + LOWEST) .. id end
-- As `rankOf` in turns.ts.
local PRIORITY_LEVEL_MS = 600000
local function make_ready(till)
  local due = redis.call('ZRANGE', delayed, '-inf', till, 'BYSCORE', 'LIMIT', 0, AT_ONCE, 'WITHSCORES')
  for i = 1, #due, 2 do
    local is = redis.pcall('HMGET', t .. ':job:' .. due[i], 'n', 'p')
    redis.call('ZREM', delayed, due[i])
    if is[1] then
      redis.call('ZADD', queue, due[i + 1] - (is[2] or 0) * PRIORITY_LEVEL_MS, member(is[1], due[i]))
    end
  end
end
local function take_ready()
  while #jobs < most do
    local members = redis.call('ZPOPMIN', queue, most - #jobs)
    if #members == 0 then return end
    for i = 1, #members, 2 do take(string.sub(members[i], WIDTH + 2), members[i + 1]) end
  end
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
  if #jobs > 0 then
    local given = {}
    for i, each in ipairs(jobs) do given[i] = each[1] .. ' ' .. string.format('%.0f', each[2]) end
    redis.call('SET', answered, table.concat(given, ' '), 'PX', math.max(1, math.ceil(math.min(lease, REMEMBERED_MS))))
  end
end

local function earliest(set) return tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2] or math.huge) end
local alarm = math.min(earliest(delayed), earliest(leased))
return {jobs, redis.call('ZCARD', queue), alarm == math.huge and '' or string.format('%.0f', alarm), moment}

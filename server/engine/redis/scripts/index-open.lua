-- Moves jobs that have not settled from `:open`, where versions of the data before 4 had them, to the sets that replace it.
-- May run twice, and be interrupted.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 the most jobs
-- Returns the number of those that are left
local t = KEYS[1]
local open = t .. ':open'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- As in claim.lua.
local function member(n, id) return string.format('%013.0f ', n + 2 ^ 40) .. id end
local found = redis.call('ZRANGE', open, 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local id, due = found[i], tonumber(found[i + 1])
  local is = redis.call('HMGET', t .. ':job:' .. id, 'st', 'held', 'n')
  if is[1] == 'PROCESSING' or (is[1] == 'PENDING' and is[2] == '1') then
    -- Its runner holds it until then, or is gone.
    redis.call('ZADD', t .. ':leased', due, id)
  elseif is[1] == 'PENDING' and due > now then
    redis.call('ZADD', t .. ':delayed', due, id)
  elseif is[1] == 'PENDING' then
    redis.call('ZADD', t .. ':queue', due, member(is[3], id))
  end
  redis.call('HDEL', t .. ':job:' .. id, 'q', 'due', 'lock', 'claim')
  redis.call('ZREM', open, id)
end
return redis.call('ZCARD', open)

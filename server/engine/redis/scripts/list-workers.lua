-- Reads workers, in the order of their names. Those whose announcement ended are left out, and forgotten.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 the worker after which the list begins, or ""  2 the most workers
-- Returns {the last worker that was looked at if there are more, or "", report, order or "", …}
local p, most = KEYS[1], tonumber(ARGV[2])
local workers, names, reports = p .. ':workers', p .. ':worker-names', p .. ':worker-reports'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = redis.call('ZRANGE', names, ARGV[1] == '' and '-' or '(' .. ARGV[1], '+', 'BYLEX', 'LIMIT', 0, most + 1)
local answer = {#found > most and found[most] or ''}
for i = 1, math.min(most, #found) do
  local name = found[i]
  local till = tonumber(redis.call('ZSCORE', workers, name) or 0)
  local report = redis.call('HGET', reports, name)
  if till > now and report then
    answer[#answer + 1] = report
    answer[#answer + 1] = redis.call('GET', p .. ':order:' .. name) or ''
  else
    -- A process of an earlier version may have forgotten a part of it.
    redis.call('ZREM', names, name)
    redis.call('HDEL', reports, name)
  end
end
return answer

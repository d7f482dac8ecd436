-- Reads what a tenant has to do, and its usage, in constant time.
--
-- uses places.lua staged.lua
-- KEYS  1 prefix of the tenant's keys
-- Returns {number of ready jobs, number of jobs that have not settled, earliest time of a delay, a lease or a rate in ms or "",
--          moment in microseconds, bytes, {kinds with jobs that are not held back}}
local clock = redis.call('TIME')
local ready, free = 0, {}
local counts = redis.call('HGETALL', t .. ':ready')
for i = 1, #counts, 2 do
  ready = ready + counts[i + 1]
  if is_free(counts[i]) then free[#free + 1] = counts[i] end
end
local function earliest(set) return tonumber(redis.call('ZRANGE', t .. set, 0, 0, 'WITHSCORES')[2] or math.huge) end
local alarm = math.min(earliest(':delayed'), earliest(':leased'), earliest(':closed'))
return {
  ready,
  ready + redis.call('ZCARD', t .. ':delayed') + redis.call('ZCARD', t .. ':leased') + count_staged(),
  alarm == math.huge and '' or string.format('%.0f', alarm),
  clock[1] * 1000000 + clock[2],
  tonumber(redis.call('GET', t .. ':bytes') or 0),
  free,
}

-- Reads what a tenant has to do, and its usage, in constant time.
--
-- KEYS  1 prefix of the tenant's keys
-- Returns {number of ready jobs, number of jobs that have not settled, earliest end of a delay or a lease in ms or "", moment in
--          microseconds, bytes}
local t = KEYS[1]
local clock = redis.call('TIME')
local ready = redis.call('ZCARD', t .. ':queue')
local function earliest(set) return tonumber(redis.call('ZRANGE', t .. set, 0, 0, 'WITHSCORES')[2] or math.huge) end
local alarm = math.min(earliest(':delayed'), earliest(':leased'))
return {
  ready,
  ready + redis.call('ZCARD', t .. ':delayed') + redis.call('ZCARD', t .. ':leased'),
  alarm == math.huge and '' or string.format('%.0f', alarm),
  clock[1] * 1000000 + clock[2],
  tonumber(redis.call('GET', t .. ':bytes') or 0),
}

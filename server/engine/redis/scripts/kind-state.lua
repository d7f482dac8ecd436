-- Tells what the limits of all tenants let a kind do.
--
-- uses permits.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 kind  2 interval of its rate in microseconds, 0 for none  3 burst
-- Returns {1 if its running jobs are counted, how many run, microseconds until its rate lets one start}
local kind, interval, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
return {
  redis.call('SISMEMBER', p .. ':counted', kind),
  redis.call('ZCARD', permits_of(kind)),
  interval > 0 and math.max(0, rate_of(kind) - (burst - 1) * interval - clock[1] * 1000000 - clock[2]) or 0,
}

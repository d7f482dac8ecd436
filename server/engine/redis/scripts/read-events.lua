-- One look at a log, in which the entry of seq 1 is the first, and none is missing.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 the seq after which to begin  3 how many at most
-- Returns {events, the newest}, or {} where there is no such job
local t, id, after, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local log = t .. ':log:' .. id
local newest = redis.call('LINDEX', log, -1)
if not newest then return {} end
return {redis.call('LRANGE', log, after, after + limit - 1), newest}

-- One look at a log.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 the seq after which to begin  3 how many at most
-- Returns {events, {the newest}}, both as XRANGE gives them, or {} where there is no such job
local t, id, after, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local log = t .. ':log:' .. id
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
if #newest == 0 then return {} end
return {redis.call('XRANGE', log, '(' .. after .. '-0', '+', 'COUNT', limit), newest}

-- Reads a log. It begins with seq 1 and has no gaps, so the index is the seq minus one.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 seq after which to begin  3 limit
-- Returns {events, newest event}, or {} if the job does not exist
local t, id, after, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local log = t .. ':log:' .. id
local newest = redis.call('LINDEX', log, -1)
if not newest then return {} end
return {redis.call('LRANGE', log, after, after + limit - 1), newest}

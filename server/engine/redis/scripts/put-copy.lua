-- Stores the copy of a job or batch in the tenant that is to have it, but in none of its lists. May run twice.
--
-- KEYS  1 prefix of the new tenant's keys
-- ARGV  1 "job" or "batch"  2 id  3 length of its log  4 of its draft  5 of its log lines  then fields and values
-- Returns 1 if it is there; 0 if one of these is not complete
local t, id = KEYS[1], ARGV[2]
local copy = t .. ':' .. ARGV[1] .. ':' .. id
if redis.call('EXISTS', copy) == 1 then return 1 end
if redis.call('LLEN', t .. ':log:' .. id) ~= tonumber(ARGV[3]) then return 0 end
if redis.call('LLEN', t .. ':draft:' .. id) ~= tonumber(ARGV[4]) then return 0 end
if redis.call('LLEN', t .. ':lines:' .. id) ~= tonumber(ARGV[5]) then return 0 end
redis.call('INCRBY', t .. ':n', 0)
redis.call('HSET', copy, unpack(ARGV, 6))
return 1

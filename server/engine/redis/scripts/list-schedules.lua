-- A page of schedules, newest first.
--
-- KEYS  1 prefix of all schedules
-- ARGV  1 the list  2 upper bound of n, exclusive  3 page size
-- Returns {n, record} of each
local found = redis.call('ZRANGE', ARGV[1], '(' .. ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[3])
local answer = {}
for i, id in ipairs(found) do answer[i] = redis.call('HMGET', KEYS[1] .. ':s:' .. id, 'n', 'r') end
return answer

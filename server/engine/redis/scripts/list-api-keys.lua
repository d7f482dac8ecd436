-- A page of API keys, newest first.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 the list: 'all', or 'of:' and a tenant  2 upper bound of n, exclusive  3 page size
-- Returns the fields of each as HGETALL does
local p = KEYS[1]
local found = redis.call('ZRANGE', p .. ':' .. ARGV[1], '(' .. ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[3])
local answer = {}
for i, id in ipairs(found) do answer[i] = redis.call('HGETALL', p .. ':key:' .. id) end
return answer

-- Gives a taken schedule back.
--
-- KEYS  1 prefix of all schedules
-- ARGV  1 id  2 the version that it must have  3 in how many ms it may be taken again
local p, id = KEYS[1], ARGV[1]
local is = redis.call('HMGET', p .. ':s:' .. id, 'v', 'kind')
if is[1] ~= ARGV[2] then return end
local clock = redis.call('TIME')
local free = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[3])
redis.call('ZADD', p .. ':due:' .. is[2], 'XX', string.format('%.0f', free), id)
redis.call('HDEL', p .. ':s:' .. id, 'b')

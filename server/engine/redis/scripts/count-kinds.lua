-- Begins to count the running jobs of kinds, with those that run. What is counted already stays as it is.
--
-- uses permits.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 number of kinds  then the kinds, and for each running job of one: kind, its member of the permits
local clock = redis.call('TIME')
local check = clock[1] * 1000 + math.floor(clock[2] / 1000) + CHECK_MS
local kinds, fresh = tonumber(ARGV[1]), {}
for i = 2, kinds + 1 do fresh[ARGV[i]] = redis.call('SADD', p .. ':counted', ARGV[i]) == 1 end
for i = kinds + 2, #ARGV, 2 do
  if fresh[ARGV[i]] then redis.call('ZADD', permits_of(ARGV[i]), check, ARGV[i + 1]) end
end
return 1

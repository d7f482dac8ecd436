-- Lists permits that were not told of for long.
--
-- uses permits.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 the most of a kind
-- Returns {kind, member, time in ms, …}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local answer = {}
for _, kind in ipairs(redis.call('SMEMBERS', p .. ':counted')) do
  local found = redis.call('ZRANGE', permits_of(kind), '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
  for i = 1, #found, 2 do
    for _, each in ipairs({kind, found[i], found[i + 1]}) do answer[#answer + 1] = each end
  end
end
return answer

-- Moves ready jobs from `:queue`, where versions of the data before 5 had them, to the queues of their kinds. May run twice, and be
-- interrupted.
--
-- uses places.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 the most jobs
-- Returns the number of those that are left
local queue = t .. ':queue'
local found = redis.call('ZRANGE', queue, 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local is = redis.pcall('HMGET', t .. ':job:' .. id_of(found[i]), 'kind', 'k')
  if is[1] then enter(is[1], is[2], found[i], found[i + 1]) end
  redis.call('ZREM', queue, found[i])
end
return redis.call('ZCARD', queue)

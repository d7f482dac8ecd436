-- Moves settled jobs from `:finished`, where versions of the data before 5 had all of a tenant, to the set of their kind. May run
-- twice, and be interrupted.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 the most jobs
-- Returns the number of those that are left
local t = KEYS[1]
local all = t .. ':finished'
local found = redis.call('ZRANGE', all, 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local id, time = found[i], found[i + 1]
  local kind = redis.call('HGET', t .. ':job:' .. id, 'kind')
  if kind then redis.call('ZADD', t .. ':finished:' .. kind, time, id) end
  redis.call('ZREM', all, id)
end
return redis.call('ZCARD', all)

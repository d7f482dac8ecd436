-- A page of the batches of an owner or a tenant, newest first.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner, or "" for all  2 upper bound of n, exclusive  3 page size
-- Returns {n, fields as HGETALL returns them, n, fields, …}
local t, owner, before, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local o = owner == '' and t or t .. ':owner:' .. owner
local found = redis.call('ZRANGE', o .. ':batches', '(' .. before, '-inf',
  'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
local answer = {}
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call('HGETALL', t .. ':batch:' .. found[i])
end
return answer

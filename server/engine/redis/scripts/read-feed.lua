-- Reads the jobs of an owner or a tenant by their newest change, with their records at the same moment.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner, or "" for all  2 rev after which to begin  3 limit
-- Returns {newest rev, rev, record, rev, record, …}
local t, owner, after, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local o = owner == '' and t or t .. ':owner:' .. owner
local found = redis.call('ZRANGE', o .. ':feed', '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local answer = {redis.call('GET', o .. ':rev') or redis.call('GET', t .. ':rev') or '0'}
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call('HGET', t .. ':job:' .. found[i], 's')
end
return answer

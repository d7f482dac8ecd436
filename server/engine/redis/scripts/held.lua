-- Lists the running jobs of a tenant that have permits. Those of these kinds get one that have none.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  kinds
-- Returns {job, permit, kind, …}
local t = KEYS[1]
local permits, counted = t .. ':permits', {}
for _, kind in ipairs(ARGV) do counted[kind] = true end
for _, id in ipairs(#ARGV > 0 and redis.call('ZRANGE', t .. ':leased', 0, -1) or {}) do
  local job = t .. ':job:' .. id
  local is = redis.pcall('HMGET', job, 'held', 'kind', 'token')
  if is[1] == '1' and counted[is[2]] and redis.call('HEXISTS', permits, id) == 0 then
    redis.call('HSET', job, 'pm', is[3])
    redis.call('HSET', permits, id, is[3] .. ' ' .. is[2])
  end
end
local answer = {}
local found = redis.call('HGETALL', permits)
for i = 1, #found, 2 do
  local permit, kind = string.match(found[i + 1], '^(%S+) (.*)$')
  for _, each in ipairs({found[i], permit, kind}) do answer[#answer + 1] = each end
end
return answer

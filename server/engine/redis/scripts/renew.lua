-- Renews the leases of claims.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 length of the leases in ms  then for each claim: job id, token
-- Returns the earliest end of a lease in ms if these made it earlier, else ""; then for each claim 1, or 0 if it does not hold
local t, lease = KEYS[1], tonumber(ARGV[1])
local leased = t .. ':leased'
local function earliest() return redis.call('ZRANGE', leased, 0, 0, 'WITHSCORES')[2] end
local clock = redis.call('TIME')
local till = clock[1] * 1000 + math.floor(clock[2] / 1000) + lease
local before = earliest()
local answer = {''}
for i = 2, #ARGV, 2 do
  local is = redis.call('HMGET', t .. ':job:' .. ARGV[i], 'held', 'token')
  local holds = is[1] == '1' and is[2] == ARGV[i + 1]
  if holds then redis.call('ZADD', leased, till, ARGV[i]) end
  answer[#answer + 1] = holds and 1 or 0
end
local after = earliest()
if after and (not before or tonumber(after) < tonumber(before)) then answer[1] = after end
return answer

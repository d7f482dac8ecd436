-- Renews the lease of a claim.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 token of the claim  3 the end of the lease in ms
-- Returns the job's queuedAs, or nil if the claim does not hold
local t, id, token, till = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local job = t .. ':job:' .. id
local is = redis.call('HMGET', job, 'held', 'token', 'q')
if is[1] ~= '1' or is[2] ~= token then return nil end
redis.call('HSET', job, 'due', till)
redis.call('ZADD', t .. ':open', till, id)
return is[3]

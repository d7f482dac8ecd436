-- Stores the revocation of a user, revokes all of the user's API keys, and removes the user's share links.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 tenant  2 user  3 the moment before which tokens have ended, in ms  4 the time now, in ms
--       5 the tenant's limit  6 the time in ms after which a revoked user makes room  7 hint
-- Returns the number of keys that were not revoked before; -1: the tenant has as many revoked users as it may
local p, tenant, user, moment, now, most, kept =
  KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local users = p .. ':revoked-users:' .. tenant
if not redis.call('ZSCORE', users, user) and redis.call('ZCARD', users) >= most then
  local oldest = redis.call('ZRANGE', users, 0, 0, 'WITHSCORES')
  if tonumber(oldest[2]) > tonumber(now) - kept then return -1 end
  redis.call('ZREM', users, oldest[1])
end
redis.call('SET', p .. ':has-revocations', 1)
redis.call('ZADD', users, 'GT', moment, user)

local count = 0
for _, id in ipairs(redis.call('ZRANGE', p .. ':of:' .. tenant, 0, -1)) do
  local is = redis.call('HMGET', p .. ':key:' .. id, 'made', 'revoked')
  if is[1] and not is[2] and cjson.decode(is[1]).user == user then
    redis.call('HSET', p .. ':key:' .. id, 'revoked', now)
    count = count + 1
  end
end
local links, records = p .. ':share-links:' .. tenant, p .. ':share-link-records:' .. tenant
for _, name in ipairs(redis.call('ZRANGE', links, 0, -1)) do
  local record = redis.call('HGET', records, name)
  if record and cjson.decode(record).user == user then
    redis.call('ZREM', links, name)
    redis.call('HDEL', records, name)
  end
end
redis.call('SPUBLISH', p .. ':hint', ARGV[7])
return count

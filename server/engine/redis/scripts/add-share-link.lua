-- Stores a share link, and forgets those of the tenant that have ended.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 tenant  2 stream  3 id  4 record  5 its end, in ms  6 the time now, in ms  7 limit of the stream  8 of the tenant
-- Returns 1; -1: the stream has as many as it may; -2: the tenant has
local p, tenant, stream, now = KEYS[1], ARGV[1], ARGV[2], ARGV[6]
local links, records = p .. ':share-links:' .. tenant, p .. ':share-link-records:' .. tenant
for _, name in ipairs(redis.call('ZRANGEBYSCORE', links, '-inf', now)) do
  redis.call('ZREM', links, name)
  redis.call('HDEL', records, name)
end
if redis.call('ZCARD', links) >= tonumber(ARGV[8]) then return -2 end
local count, start = 0, stream .. ':'
for _, name in ipairs(redis.call('ZRANGE', links, 0, -1)) do
  if string.sub(name, 1, #start) == start then count = count + 1 end
end
if count >= tonumber(ARGV[7]) then return -1 end
redis.call('SET', p .. ':has-share-links', 1)
redis.call('ZADD', links, ARGV[5], start .. ARGV[3])
redis.call('HSET', records, start .. ARGV[3], ARGV[4])
return 1

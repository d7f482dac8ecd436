-- Stores the revocation of a token, removes the share links that it made, and forgets revocations of tokens that have expired.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 tenant  2 SHA-256 of the token's jti  3 when it has expired, in ms  4 the time now, in ms
--       5 the tenant's limit  6 hint
-- Returns 1; 0: the tenant has as many as it may
local p, hash, ends, now, most = KEYS[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local tokens = p .. ':revoked-tokens:' .. ARGV[1]
redis.call('ZREMRANGEBYSCORE', tokens, '-inf', now)
if not redis.call('ZSCORE', tokens, hash) and redis.call('ZCARD', tokens) >= most then return 0 end
redis.call('SET', p .. ':has-revocations', 1)
redis.call('ZADD', tokens, 'GT', ends, hash)
local links, records = p .. ':share-links:' .. ARGV[1], p .. ':share-link-records:' .. ARGV[1]
for _, name in ipairs(redis.call('ZRANGE', links, 0, -1)) do
  local record = redis.call('HGET', records, name)
  if record and cjson.decode(record).tokenHash == hash then
    redis.call('ZREM', links, name)
    redis.call('HDEL', records, name)
  end
end
redis.call('SPUBLISH', p .. ':hint', ARGV[6])
return 1

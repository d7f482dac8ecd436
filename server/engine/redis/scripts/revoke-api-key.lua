-- Revokes an API key, and removes the share links that it made.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 id  2 when, in ms  3 the key's tenant
-- Returns its fields as HGETALL does; {}: there is none
local p = KEYS[1]
local key = p .. ':key:' .. ARGV[1]
local hash = redis.call('HGET', key, 'hash')
if not hash then return {} end
redis.call('HSETNX', key, 'revoked', ARGV[2])
local links, records = p .. ':share-links:' .. ARGV[3], p .. ':share-link-records:' .. ARGV[3]
for _, name in ipairs(redis.call('ZRANGE', links, 0, -1)) do
  local record = redis.call('HGET', records, name)
  if record and cjson.decode(record).link.maker.credential.keyHash == hash then
    redis.call('ZREM', links, name)
    redis.call('HDEL', records, name)
  end
end
redis.call('SPUBLISH', p .. ':hint', '{"kind":"key","hash":"' .. hash .. '"}')
return redis.call('HGETALL', key)

-- Revokes an API key.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 id  2 when, in ms
-- Returns its fields as HGETALL does; {}: there is none
local key = KEYS[1] .. ':key:' .. ARGV[1]
local hash = redis.call('HGET', key, 'hash')
if not hash then return {} end
redis.call('HSETNX', key, 'revoked', ARGV[2])
redis.call('SPUBLISH', KEYS[1] .. ':hint', '{"kind":"key","hash":"' .. hash .. '"}')
return redis.call('HGETALL', key)

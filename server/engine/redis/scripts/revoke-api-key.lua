-- Revokes an API key.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 id  2 when, in ms
-- Returns its fields as HGETALL does; {}: there is none
local key = KEYS[1] .. ':key:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return {} end
redis.call('HSETNX', key, 'revoked', ARGV[2])
return redis.call('HGETALL', key)

-- Finds an API key.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 SHA-256 of the key
-- Returns its fields as HGETALL does; {}: there is none
local id = redis.call('HGET', KEYS[1] .. ':hashes', ARGV[1])
return id and redis.call('HGETALL', KEYS[1] .. ':key:' .. id) or {}

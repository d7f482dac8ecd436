-- Stores when an API key was last used.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 id  2 when, in ms
local key = KEYS[1] .. ':key:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return end
local used = redis.call('HGET', key, 'used')
if not used or tonumber(used) < tonumber(ARGV[2]) then redis.call('HSET', key, 'used', ARGV[2]) end

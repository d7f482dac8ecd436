-- Stores a pause, unless there is one of its scope.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 scope  2 the pause  3 the most pauses
-- Returns the one that was stored before; "": there was none; nil: there are too many
local pauses = KEYS[1] .. ':pauses'
local before = redis.call('HGET', pauses, ARGV[1])
if before then return before end
if redis.call('HLEN', pauses) >= tonumber(ARGV[3]) then return false end
redis.call('HSET', pauses, ARGV[1], ARGV[2])
return ''

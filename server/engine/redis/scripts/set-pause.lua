-- Stores a pause, unless there is one of its scope.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 scope  2 the pause  3 the most pauses  4 the tenant that has no turns from now on, or ""
-- Returns the one that was stored before; "": there was none; nil: there are too many
local pauses = KEYS[1] .. ':pauses'
local before = redis.call('HGET', pauses, ARGV[1])
if before then return before end
if redis.call('HLEN', pauses) >= tonumber(ARGV[3]) then return false end
redis.call('HSET', pauses, ARGV[1], ARGV[2])
if ARGV[4] ~= '' then
  redis.call('ZREM', KEYS[1] .. ':turns', ARGV[4])
  redis.call('HDEL', KEYS[1] .. ':told', ARGV[4])
  redis.call('ZREM', KEYS[1] .. ':alarms', ARGV[4])
end
return ''

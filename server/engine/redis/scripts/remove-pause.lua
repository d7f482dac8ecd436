-- Removes a pause, and hints that there may be work.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 scope
-- Returns the pause that was stored, or ""
local pauses = KEYS[1] .. ':pauses'
local before = redis.call('HGET', pauses, ARGV[1])
if not before then return '' end
redis.call('HDEL', pauses, ARGV[1])
redis.call('SPUBLISH', KEYS[1] .. ':hint', '')
return before

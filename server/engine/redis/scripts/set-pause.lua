-- Stores a pause, unless there is one of its scope.
--
-- uses ring.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 scope  2 the pause  3 the most pauses  4 the tenant that has no turns from now on, or ""
-- Returns the one that was stored before; "": there was none; nil: there are too many
local pauses = p .. ':pauses'
local before = redis.call('HGET', pauses, ARGV[1])
if before then return before end
if redis.call('HLEN', pauses) >= tonumber(ARGV[3]) then return false end
redis.call('HSET', pauses, ARGV[1], ARGV[2])
local tenant = ARGV[4]
if tenant ~= '' then
  local is = load(tenant)
  if is.turn then leave(tenant, is) end
  redis.call('ZREM', p .. ':alarms', tenant)
end
save()
return ''

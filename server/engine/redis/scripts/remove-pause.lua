-- Removes a pause, and hints that there may be work. Tenants look at once for jobs that a pause of a kind kept from the next runner.
--
-- uses ring.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 scope  2 tenant, or "" for all  3 kind, or "" for all
-- Returns the pause that was stored, or ""
local pauses, held = p .. ':pauses', p .. ':held'
local scope, tenant, kind = unpack(ARGV)
local before = redis.call('HGET', pauses, scope)
if not before then return '' end
redis.call('HDEL', pauses, scope)
if kind ~= '' then
  local kinds = paused_kinds(tenant)
  kinds[kind] = nil
  if next(kinds) then
    redis.call('HSET', p .. ':paused', tenant, cjson.encode(kinds))
  else
    redis.call('HDEL', p .. ':paused', tenant)
  end
  for _, each in ipairs(redis.call('SMEMBERS', held)) do
    if not is_paused(each) then redis.call('ZADD', p .. ':alarms', 'LT', 0, each) end
  end
  redis.call('DEL', held)
end
redis.call('SPUBLISH', p .. ':hint', '')
return before

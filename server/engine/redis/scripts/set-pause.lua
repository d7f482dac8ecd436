-- Stores a pause, unless there is one of its scope.
--
-- uses ring.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 scope  2 the pause  3 the most pauses  4 tenant, or "" for all  5 kind, or "" for all  6 the most kinds of a tenant, or of all
-- Returns the one that was stored before; "": there was none; nil: there are too many; 0: of kinds of this tenant, or of all
local pauses = p .. ':pauses'
local scope, pause, most, tenant, kind, most_kinds = unpack(ARGV)
local before = redis.call('HGET', pauses, scope)
if before then return before end
if redis.call('HLEN', pauses) >= tonumber(most) then return false end
if kind ~= '' then
  local text = redis.call('HGET', p .. ':paused', tenant)
  local kinds, count = text and cjson.decode(text) or {}, 0
  for _ in pairs(kinds) do count = count + 1 end
  if count >= tonumber(most_kinds) then return 0 end
  kinds[kind] = true
  redis.call('HSET', p .. ':paused', tenant, cjson.encode(kinds))
end
redis.call('HSET', pauses, scope, pause)
if tenant ~= '' then
  local is = load(tenant)
  if kind ~= '' then
    if is.kinds[kind] then
      drop_place(tenant, is, kind)
      changed[tenant] = true
    end
  else
    if is.turn then leave(tenant, is) end
    redis.call('ZREM', p .. ':alarms', tenant)
  end
end
save()
return ''

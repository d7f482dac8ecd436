-- True where the tenant may have one more schedule: of `most` the oldest that has fired for the last time makes room. `p`: the prefix
-- of all schedules.
local function has_room(p, tenant, most)
  local of = p .. ':of:' .. tenant
  if redis.call('ZCARD', of) < most then return true end
  for _, other in ipairs(redis.call('ZRANGE', of, 0, -1)) do
    local is = redis.call('HMGET', p .. ':s:' .. other, 'next', 'o', 'k')
    if is[1] == '' then
      redis.call('HDEL', p .. ':keys:' .. tenant .. ':' .. is[2], is[3])
      for _, list in ipairs({p .. ':all', of, of .. ':' .. is[2]}) do redis.call('ZREM', list, other) end
      redis.call('DEL', p .. ':s:' .. other)
      return true
    end
  end
  return false
end

-- The tenants in the ring. `:tenants` has those with ready jobs: the turn of each, when its news is from, whether lines of it are
-- closed, and the kinds of which it has jobs that its lines do not hold back. In each of these kinds it has a place, in
-- `:turns:<kind>`, whose score is its turn. `:kinds` are those with places. `:closed` are the tenants with closed lines.
local p = KEYS[1]
local function exact(number) return string.format('%.0f', number) end
local tenants, changed = {}, {}
local function load(tenant)
  local is = tenants[tenant]
  if is then return is end
  is = {kinds = {}}
  tenants[tenant] = is
  local text = redis.call('HGET', p .. ':tenants', tenant)
  if not text then return is end
  local turn, told, closed, kinds = string.match(text, '^(%S+) (%S+) (%d)(.*)$')
  is.turn, is.told, is.closed = tonumber(turn), tonumber(told), closed == '1'
  for kind in string.gmatch(kinds, '\n([^\n]*)') do is.kinds[kind] = true end
  return is
end
local function save()
  for tenant in pairs(changed) do
    local is = tenants[tenant]
    if is.turn then
      local words = {exact(is.turn) .. ' ' .. exact(is.told) .. ' ' .. (is.closed and 1 or 0)}
      for kind in pairs(is.kinds) do words[#words + 1] = kind end
      redis.call('HSET', p .. ':tenants', tenant, table.concat(words, '\n'))
    else
      redis.call('HDEL', p .. ':tenants', tenant)
    end
  end
end
local function add_place(tenant, is, kind)
  if is.kinds[kind] then return end
  is.kinds[kind] = true
  redis.call('ZADD', p .. ':turns:' .. kind, exact(is.turn), tenant)
  redis.call('SADD', p .. ':kinds', kind)
end
local function drop_place(tenant, is, kind)
  is.kinds[kind] = nil
  redis.call('ZREM', p .. ':turns:' .. kind, tenant)
end
local function set_turn(tenant, is, turn)
  is.turn, changed[tenant] = turn, true
  for kind in pairs(is.kinds) do redis.call('ZADD', p .. ':turns:' .. kind, exact(turn), tenant) end
end
local function set_closed(tenant, is, closed)
  if (is.closed or false) == closed then return end
  is.closed, changed[tenant] = closed, true
  redis.call(closed and 'SADD' or 'SREM', p .. ':closed', tenant)
end
local function leave(tenant, is)
  for kind in pairs(is.kinds) do drop_place(tenant, is, kind) end
  set_closed(tenant, is, false)
  is.turn, changed[tenant] = nil, true
end
-- Scopes whose jobs are paused (`pauses.ts`). The empty tenant stands for all.
local some_paused = redis.call('EXISTS', p .. ':pauses') == 1
local function is_paused(tenant)
  return some_paused and redis.call('HEXISTS', p .. ':pauses', ' ' .. tenant) == 1
end
-- The kinds of a tenant that are paused, and those of all tenants with '': {kind: true, …}. `:paused` has them in JSON, by the tenant.
local kinds_paused = {}
local function paused_kinds(tenant)
  local are = kinds_paused[tenant]
  if are then return are end
  local text = some_paused and redis.call('HGET', p .. ':paused', tenant)
  are = text and cjson.decode(text) or {}
  kinds_paused[tenant] = are
  return are
end
local function is_kind_paused(tenant, kind) return paused_kinds('')[kind] or paused_kinds(tenant)[kind] end
-- A paused tenant is not in the ring, and what is told of it is not heard; so with a kind of a tenant. At the end of the pause it is
-- told again. A kind that is paused for all tenants keeps its places, and no turn looks at them.
-- `moment`: of the clock of the tenant's node. The news that there are no jobs any more counts only where it is newer than that
-- there are. `first`: its turn if it has none. `are`, `are_not`: kinds, in lines; `are_not` "*": all others.
local function hear(tenant, moment, state, first, are, are_not)
  local is = load(tenant)
  if is_paused(tenant) then
    if is.turn then leave(tenant, is) end
    return
  end
  moment = tonumber(moment)
  local is_newer = is.turn and is.told < moment
  if state == 'empty' then
    if is_newer then leave(tenant, is) end
    return
  end
  if state ~= 'ready' then return end
  if not is.turn then is.turn, is.told, is_newer = first, 0, true end
  changed[tenant] = true
  local named = {}
  for kind in string.gmatch(are, '[^\n]+') do
    if not paused_kinds(tenant)[kind] then
      named[kind] = true
      add_place(tenant, is, kind)
    end
  end
  if not is_newer then return end
  is.told = moment
  if are_not == '*' then
    for kind in pairs(is.kinds) do
      if not named[kind] then drop_place(tenant, is, kind) end
    end
  else
    for kind in string.gmatch(are_not, '[^\n]+') do drop_place(tenant, is, kind) end
  end
end

-- The lists of the jobs of a schedule, of each kind and status: `all` is the prefix of the tenant's keys, or of their owner's.
local function list_of_schedule(all, schedule, kind, status, n, id)
  local of = all .. ':of:' .. schedule
  redis.call('SADD', of .. ':kinds', kind)
  redis.call('ZADD', of .. ':jobs:' .. kind .. ':' .. status, n, id)
end
local function drop_of_schedule(all, schedule, kind, status, id)
  local of = all .. ':of:' .. schedule
  redis.call('ZREM', of .. ':jobs:' .. kind .. ':' .. status, id)
  for _, each in ipairs({'PENDING', 'PROCESSING', 'DELIVERED', 'BLOCKED', 'ABORTED'}) do
    if redis.call('EXISTS', of .. ':jobs:' .. kind .. ':' .. each) == 1 then return end
  end
  redis.call('SREM', of .. ':kinds', kind)
end

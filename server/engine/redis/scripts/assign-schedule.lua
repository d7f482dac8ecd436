-- Gives a schedule to another owner, unless a firing is under way.
--
-- uses schedule-room.lua
-- KEYS  1 prefix of all schedules
-- ARGV  1 id  2 version of the record  3 record  4 new tenant  5 new owner
--       6 from when on it may be taken where no process holds it, in ms; '': never  7 the tenant's limit
-- Returns 'moved', 'changed', 'busy', 'taken' or 'full'
local p, id, version, record, tenant, owner = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local schedule = p .. ':s:' .. id
local is = redis.call('HMGET', schedule, 'v', 't', 'o', 'k', 'kind', 'n', 'next', 'b', 'r')
-- A repeated call, whose first answer was lost.
if is[1] == version and is[9] == record then return 'moved' end
if not is[1] or tonumber(is[1]) ~= tonumber(version) - 1 then return 'changed' end

local free = redis.call('ZSCORE', p .. ':due:' .. is[5], id)
if is[8] and is[8] == is[7] or tonumber(free or '') ~= tonumber(ARGV[6]) then return 'busy' end
local keys = p .. ':keys:' .. tenant .. ':' .. owner
if redis.call('HEXISTS', keys, is[4]) == 1 then return 'taken' end
if is[2] ~= tenant and not has_room(p, tenant, tonumber(ARGV[7])) then return 'full' end

local before, after = p .. ':of:' .. is[2], p .. ':of:' .. tenant
redis.call('HDEL', p .. ':keys:' .. is[2] .. ':' .. is[3], is[4])
redis.call('HSET', keys, is[4], id)
for _, list in ipairs({before, before .. ':' .. is[3]}) do redis.call('ZREM', list, id) end
for _, list in ipairs({after, after .. ':' .. owner}) do redis.call('ZADD', list, is[6], id) end
redis.call('HSET', schedule, 'v', version, 'r', record, 't', tenant, 'o', owner)
return 'moved'

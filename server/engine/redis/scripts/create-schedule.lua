-- Stores a schedule, unless its owner has one with its key.
--
-- uses schedule-room.lua
-- KEYS  1 prefix of all schedules
-- ARGV  1 id  2 tenant  3 owner  4 key  5 kind  6 version  7 record  8 input
--       9 its next time, and 10 from when on it may be taken, in ms; '': never  11 the tenant's limit
-- Returns {'ok'}; {'first', id of the schedule that has the key}; {'full'}: the tenant has as many as it may
local p, id, tenant, owner, key, kind = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local keys = p .. ':keys:' .. tenant .. ':' .. owner
local first = redis.call('HGET', keys, key)
-- The same id: a repeated call, whose first answer was lost.
if first then return {'first', first} end

local of = p .. ':of:' .. tenant
if not has_room(p, tenant, tonumber(ARGV[11])) then return {'full'} end

local n = redis.call('INCR', p .. ':n')
redis.call('HSET', p .. ':s:' .. id, 'n', n, 't', tenant, 'o', owner, 'k', key, 'kind', kind, 'v', ARGV[6],
  'r', ARGV[7], 'i', ARGV[8], 'next', ARGV[9])
redis.call('HSET', keys, key, id)
for _, list in ipairs({p .. ':all', of, of .. ':' .. owner}) do redis.call('ZADD', list, n, id) end
redis.call('SADD', p .. ':kinds', kind)
if ARGV[10] ~= '' then redis.call('ZADD', p .. ':due:' .. kind, ARGV[10], id) end
return {'ok'}

-- Stores the record of a schedule in the place of the version before.
--
-- KEYS  1 prefix of all schedules
-- ARGV  1 id  2 version of the record  3 kind  4 record  5 input; '' keeps it
--       6 its next time, and 7 from when on it may be taken, in ms; '': never
-- Returns 1; 0: it has another version by now, or does not exist
local p, id, version, kind = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local schedule = p .. ':s:' .. id
local is = redis.call('HMGET', schedule, 'v', 'kind', 'b', 'r')
-- A repeated call, whose first answer was lost.
if is[1] == version and is[4] == ARGV[4] then return 1 end
if not is[1] or tonumber(is[1]) ~= tonumber(version) - 1 then return 0 end

redis.call('HSET', schedule, 'v', version, 'kind', kind, 'r', ARGV[4], 'next', ARGV[6])
if ARGV[5] ~= '' then redis.call('HSET', schedule, 'i', ARGV[5]) end
if is[3] and is[3] ~= ARGV[6] then redis.call('HDEL', schedule, 'b') end
redis.call('ZREM', p .. ':due:' .. is[2], id)
redis.call('SADD', p .. ':kinds', kind)
if ARGV[7] ~= '' then redis.call('ZADD', p .. ':due:' .. kind, ARGV[7], id) end
return 1

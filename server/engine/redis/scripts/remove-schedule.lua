-- Removes a schedule.
--
-- KEYS  1 prefix of all schedules
-- ARGV  1 id  2 the version that it must have; '': any
-- Returns 1; 0: there is none, or it has another version
local p, id = KEYS[1], ARGV[1]
local schedule = p .. ':s:' .. id
local is = redis.call('HMGET', schedule, 'v', 't', 'o', 'k', 'kind')
if not is[1] or (ARGV[2] ~= '' and is[1] ~= ARGV[2]) then return 0 end
local of = p .. ':of:' .. is[2]
redis.call('HDEL', p .. ':keys:' .. is[2] .. ':' .. is[3], is[4])
for _, list in ipairs({p .. ':all', of, of .. ':' .. is[3], p .. ':due:' .. is[5]}) do redis.call('ZREM', list, id) end
redis.call('DEL', schedule)
return 1

-- Takes schedules that are due by the clock of Redis, the longest due first, and holds them.
--
-- KEYS  1 prefix of all schedules
-- ARGV  1 how many at most  2 for how long they are held, in ms  3 after how long a firing has not begun in time, and
--       4 for how long one of another kind is left to others, in ms
--       then the kinds that the caller knows
-- Returns {the time, when the next of the others may be taken or false, then for each {record, 1 if its firing had begun}}
local p, max, hold, grace, left =
  KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = {}
for i = 5, #ARGV do known[ARGV[i]] = true end

local due = {}
local kinds = redis.call('SMEMBERS', p .. ':kinds')
for _, kind in ipairs(kinds) do
  local set = p .. ':due:' .. kind
  local till = known[kind] and now or now - left
  local found = redis.call('ZRANGE', set, '-inf', string.format('%.0f', till), 'BYSCORE', 'LIMIT', 0, max, 'WITHSCORES')
  for i = 1, #found, 2 do due[#due + 1] = {id = found[i], at = tonumber(found[i + 1]), set = set} end
end
table.sort(due, function(a, b) return a.at < b.at end)

local answer = {now, false}
for i = 1, math.min(max, #due) do
  local schedule = p .. ':s:' .. due[i].id
  local is = redis.call('HMGET', schedule, 'r', 'next', 'b')
  redis.call('ZADD', due[i].set, string.format('%.0f', now + hold), due[i].id)
  local next = tonumber(is[2])
  if next and next <= now and next >= now - grace then redis.call('HSET', schedule, 'b', is[2]) end
  answer[#answer + 1] = {is[1], next and is[3] == is[2] and 1 or 0}
end
for _, kind in ipairs(kinds) do
  local first = redis.call('ZRANGE', p .. ':due:' .. kind, 0, 0, 'WITHSCORES')
  if first[2] and (not answer[2] or tonumber(first[2]) < answer[2]) then answer[2] = tonumber(first[2]) end
end
return answer

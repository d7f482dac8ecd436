-- Ends the permits of a tenant that are stale, unless their jobs run. Jobs that run in place of a reservation get theirs.
--
-- uses permits.lua
-- KEYS  1 prefix of the ring
-- ARGV  1 number of stale permits  then for each: kind, member, time in ms  then for each running job: kind, member
local clock = redis.call('TIME')
local check = clock[1] * 1000 + math.floor(clock[2] / 1000) + CHECK_MS
local first = 2 + 3 * ARGV[1]
local runs, taken, is_free = {}, {}, false
for i = first, #ARGV, 2 do runs[ARGV[i] .. '\n' .. ARGV[i + 1]] = true end
for i = 2, first - 1, 3 do
  local kind, member, time = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if string.sub(member, 1, 1) == '+' then taken[kind] = true end
  -- One that was told of meanwhile has another time.
  if redis.call('ZSCORE', permits_of(kind), member) == time then
    if runs[kind .. '\n' .. member] then
      redis.call('ZADD', permits_of(kind), check, member)
    elseif release(kind, member) then
      is_free = true
    end
  end
end
for i = first, #ARGV, 2 do
  if taken[ARGV[i]] then redis.call('ZADD', permits_of(ARGV[i]), 'NX', check, ARGV[i + 1]) end
end
if is_free then redis.call('SPUBLISH', p .. ':hint', '') end
return 1

-- Adds the jobs and batches of an owner to the lists and the feed of the tenant, for data of a version in which only owners had
-- them. The owner's revs, which counted up per owner, move up behind those of the tenant. May run twice.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner
local t, owner = KEYS[1], ARGV[1]
local o = t .. ':owner:' .. owner
local STATUSES = {'PENDING', 'PROCESSING', 'DELIVERED', 'BLOCKED', 'ABORTED'}
-- Lua's limit on arguments is some thousands.
local AT_ONCE = 1000

local function add(set, places)
  for i = 1, #places, AT_ONCE do
    redis.call('ZADD', set, unpack(places, i, math.min(i + AT_ONCE - 1, #places)))
  end
end
local function copy(list)
  local found = redis.call('ZRANGE', o .. list, 0, -1, 'WITHSCORES')
  local places = {}
  for i = 1, #found, 2 do places[i], places[i + 1] = found[i + 1], found[i] end
  add(t .. list, places)
end

local rev = math.max(tonumber(redis.call('GET', t .. ':rev') or 0), tonumber(redis.call('GET', o .. ':rev') or 0))
local places = {}
for _, id in ipairs(redis.call('ZRANGE', o .. ':feed', 0, -1)) do
  rev = rev + 1
  places[#places + 1] = rev
  places[#places + 1] = id
end
add(o .. ':feed', places)
add(t .. ':feed', places)
redis.call('SET', t .. ':rev', rev)
redis.call('SET', o .. ':rev', rev)

for _, kind in ipairs(redis.call('SMEMBERS', o .. ':kinds')) do
  redis.call('SADD', t .. ':kinds', kind)
  for _, status in ipairs(STATUSES) do copy(':jobs:' .. kind .. ':' .. status) end
end
copy(':batches')
return 1
